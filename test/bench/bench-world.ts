import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { type SimulatorProcess, startSimulatorProcess } from '#localstack/start/simulator-process.ts';
import { type Caller, patientCaller } from '#test/chaos/patient-caller.ts';
import { LoadClient, RefusedError } from './load-client.ts';
import { PlatformUnderTest, type PlatformVariant } from './platform-under-test.ts';

/** How long each part of pairing took, in milliseconds. */
export interface PairingTimes {
  readonly create: number;
  readonly createToQr: number;
  readonly scanToWorking: number;
}

export interface PairedSession {
  readonly name: string;
  readonly phone: string;
  readonly times: PairingTimes;
}

const PAUSE_MS = 5;
const PAIRED_AT_ONCE = 8;
const PAIRING_DEADLINE_MS = 60_000;

/** A simulated WhatsApp and a platform on it, each in processes of their own. */
export class BenchWorld {
  readonly simulator: SimulatorProcess;
  readonly platform: PlatformUnderTest;
  readonly api: LoadClient;
  /** The simulator's admin API. */
  readonly whatsapp: LoadClient;
  /** For what may be asked twice: with many sessions connections are idle until the server closes them. */
  readonly #patient: { readonly api: Caller; readonly whatsapp: Caller };
  readonly #folder: string;

  private constructor(folder: string, simulator: SimulatorProcess, platform: PlatformUnderTest) {
    this.#folder = folder;
    this.simulator = simulator;
    this.platform = platform;
    this.api = new LoadClient(platform.url, platform.apiKey);
    this.whatsapp = new LoadClient(simulator.adminUrl);
    this.#patient = { api: patientCaller(this.api), whatsapp: patientCaller(this.whatsapp) };
  }

  static async start(variant: PlatformVariant = {}): Promise<BenchWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-bench-'));
    const simulator = await startSimulatorProcess(join(folder, 'whatsapp'));
    try {
      const platform = await PlatformUnderTest.start(join(folder, 'platform'), simulator, variant);
      return new BenchWorld(folder, simulator, platform);
    } catch (error) {
      await simulator.stop();
      throw error;
    }
  }

  /** Creates a session, scans its QR code, waits until a client sees it WORKING. */
  async pair(name: string): Promise<PairedSession> {
    const started = performance.now();
    await this.api.call('POST', '/api/sessions', { name });
    const created = performance.now();
    const qr = await this.#qr(name);
    const shown = performance.now();
    // Without a number the simulator makes the account from the client's name, which is the same for all of ours.
    const phone = `4915${String(BenchWorld.#accounts++).padStart(9, '0')}`;
    await this.#patient.whatsapp.call('POST', `/admin/mock-phone/scan-qr?phone=${phone}`, qr);
    const scanned = performance.now();
    await this.#untilWorking(name);
    const times = {
      create: created - started,
      createToQr: shown - started,
      scanToWorking: performance.now() - scanned,
    };
    return { name, phone, times };
  }

  /** Pairs these sessions, a few at a time. */
  async pairAll(names: readonly string[]): Promise<readonly PairedSession[]> {
    const sessions: PairedSession[] = [];
    const waiting = names.values();
    const worker = async () => {
      for (const name of waiting) sessions.push(await this.pair(name));
    };
    await Promise.all(Array.from({ length: PAIRED_AT_ONCE }, worker));
    return sessions;
  }

  /** Replaces a session's configuration and waits until it is WORKING again. */
  async configure(name: string, config: object): Promise<void> {
    await this.api.call('PUT', `/api/sessions/${name}`, { config });
    await this.#untilWorking(name);
  }

  async stop(): Promise<void> {
    this.api.close();
    this.whatsapp.close();
    await this.platform.stop();
    await this.simulator.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** The API waits a few seconds for the code; a machine that pairs many at once may need longer. */
  async #qr(name: string): Promise<string> {
    const deadline = performance.now() + PAIRING_DEADLINE_MS;
    for (;;) {
      try {
        const answer = await this.#patient.api.call('GET', `/api/${name}/auth/qr?format=raw`);
        return z.object({ value: z.string() }).parse(answer).value;
      } catch (error) {
        const notYet = error instanceof RefusedError && error.status === 422;
        if (!notYet || performance.now() > deadline) throw error;
      }
    }
  }

  async #untilWorking(name: string): Promise<void> {
    const deadline = performance.now() + PAIRING_DEADLINE_MS;
    for (;;) {
      const { status } = z
        .object({ status: z.string() })
        .parse(await this.#patient.api.call('GET', `/api/sessions/${name}`));
      if (status === 'WORKING') return;
      if (performance.now() > deadline) throw new Error(`Session ${name} is ${status}, not WORKING.`);
      await delay(PAUSE_MS);
    }
  }

  static #accounts = 1;
}
