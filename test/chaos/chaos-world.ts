import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { type Platform, type PlatformOptions, startPlatform } from '#localstack/start/platform.ts';
import { type SimulatorProcess, startSimulatorProcess } from '#localstack/start/simulator-process.ts';
import { LoadClient } from '#test/bench/load-client.ts';
import { AWS_SERVICES, type AwsService } from './chaos-plan.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { KillControl } from './kill-control.ts';
import { type Caller, patientCaller } from './patient-caller.ts';
import { seeded } from './random.ts';

export interface ChaosWorldOptions {
  readonly hosts: number;
  readonly seed: number;
  /** Puts proxies between the hosts and the local cloud. */
  readonly proxied: boolean;
  /** Holds back what hosts append to journals by so many milliseconds. */
  readonly slowJournalMs?: number;
  /** More environment for the hosts. */
  readonly hostEnv?: Readonly<Record<string, string>>;
  readonly onHostLine?: (host: string, stream: 'stdout' | 'stderr', line: string) => void;
  /** A host's process ended, for whatever reason. */
  readonly onExit: (host: string, exit: HostExit) => void;
  readonly say: (line: string) => void;
}

export type HostExit = Parameters<NonNullable<PlatformOptions['onHostExit']>>[1];

export interface ChaosSession {
  readonly name: string;
  readonly phone: string;
}

const PAIRING_DEADLINE_MS = 120_000;
const PAUSE_MS = 50;
const ENDPOINTS: Readonly<Record<AwsService, string>> = {
  dynamodb: 'AWS_ENDPOINT_URL_DYNAMODB',
  sqs: 'AWS_ENDPOINT_URL_SQS',
  s3: 'AWS_ENDPOINT_URL_S3',
  eventbridge: 'AWS_ENDPOINT_URL_EVENTBRIDGE',
};

/** The processes of a run: WhatsApp and the hosts are children, the cloud and the functions are in this one. */
export class ChaosWorld {
  readonly simulator: SimulatorProcess;
  readonly platform: Platform;
  readonly proxies: ReadonlyMap<AwsService, FaultProxy>;
  /** Ends hosts at named points. */
  readonly control: KillControl;
  readonly api: Caller;
  /** The simulator's admin API. */
  readonly whatsapp: Caller;
  readonly #clients: readonly LoadClient[];
  readonly #folder: string;

  private constructor(
    folder: string,
    simulator: SimulatorProcess,
    platform: Platform,
    proxies: ReadonlyMap<AwsService, FaultProxy>,
    control: KillControl,
  ) {
    this.#folder = folder;
    this.simulator = simulator;
    this.platform = platform;
    this.proxies = proxies;
    this.control = control;
    const api = new LoadClient(platform.url, platform.apiKey);
    const whatsapp = new LoadClient(simulator.adminUrl);
    this.#clients = [api, whatsapp];
    this.api = api;
    this.whatsapp = patientCaller(whatsapp);
  }

  static async start(options: ChaosWorldOptions): Promise<ChaosWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-chaos-'));
    const simulator = await startSimulatorProcess(join(folder, 'whatsapp'));
    const proxies = new Map<AwsService, FaultProxy>();
    const { proxied, slowJournalMs = 0 } = options;
    for (const [index, service] of AWS_SERVICES.entries()) {
      const random = seeded(options.seed * 7 + index);
      // Hosts put new items only into journals, all else they update.
      const isSlow = service === 'dynamodb' && slowJournalMs > 0;
      const slow = isSlow ? { operation: 'PutItem', held: () => delay(slowJournalMs) } : undefined;
      if (proxied || slow !== undefined) proxies.set(service, await startFaultProxy(service, random, slow));
    }
    const control = await KillControl.start();
    const endpoints = Object.fromEntries([...proxies].map(([service, { url }]) => [ENDPOINTS[service], url]));
    const platform = await startPlatform({
      dataDir: join(folder, 'platform'),
      hosts: options.hosts,
      whatsapp: { url: simulator.wsUrl, rootKey: simulator.rootKey, caFile: simulator.caFile },
      // What people should wait for between two messages would only slow the traffic down.
      hostEnv: { PACING_DEFAULT_PROFILE: 'off', ...control.environment, ...endpoints, ...options.hostEnv },
      onHostLine: (host, stream, line) => options.onHostLine?.(host, stream, line),
      onHostExit: options.onExit,
      onError: (where, error) => options.say(`${where}: ${String(error)}`),
    });
    for (const [service, proxy] of proxies) proxy.forwardTo(platform.cloud.env[ENDPOINTS[service]] ?? '');
    return new ChaosWorld(folder, simulator, platform, proxies, control);
  }

  /** Creates a session, scans its QR code and waits until it is WORKING. */
  async pair(number: number): Promise<ChaosSession> {
    const session = { name: `session-${number}`, phone: `4915${String(number).padStart(9, '0')}` };
    await this.api.call('POST', '/api/sessions', { name: session.name });
    const deadline = performance.now() + PAIRING_DEADLINE_MS;
    let scanned = false;
    while (!scanned) {
      scanned = await this.#scan(session).catch((error: unknown) => {
        if (performance.now() > deadline) throw error;
        return false;
      });
      if (!scanned) await delay(PAUSE_MS);
    }
    await this.untilWorking([session], PAIRING_DEADLINE_MS);
    return session;
  }

  /** Resolves to the names of the sessions that are not WORKING when the time is over. */
  async untilWorking(sessions: readonly ChaosSession[], timeoutMs: number): Promise<readonly string[]> {
    const deadline = performance.now() + timeoutMs;
    let waiting = sessions.map(({ name }) => name);
    for (;;) {
      const statuses = await Promise.all(waiting.map((name) => this.#status(name)));
      waiting = waiting.filter((_, index) => statuses[index] !== 'WORKING');
      if (waiting.length === 0 || performance.now() > deadline) return waiting;
      await delay(PAUSE_MS);
    }
  }

  async stop(): Promise<void> {
    for (const host of this.platform.hosts.pids().keys()) this.platform.hosts.kill(host, 'SIGCONT');
    await this.platform.stop();
    for (const proxy of this.proxies.values()) await proxy.close();
    await this.control.close();
    await this.simulator.stop();
    for (const client of this.#clients) client.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #scan({ name, phone }: ChaosSession): Promise<boolean> {
    const answer = await this.api.call('GET', `/api/${name}/auth/qr?format=raw`);
    const { value } = z.object({ value: z.string() }).parse(answer);
    await this.whatsapp.call('POST', `/admin/mock-phone/scan-qr?phone=${phone}`, value);
    return true;
  }

  async #status(name: string): Promise<string> {
    const answer = await this.api.call('GET', `/api/sessions/${name}`);
    return z.object({ status: z.string() }).parse(answer).status;
  }
}
