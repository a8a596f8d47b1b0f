import type { ChatId } from '#shared/domain/chat-id.ts';
import type { Simulator } from '#test/simulator/simulator.ts';
import type { EngineEvent } from '../engine.ts';
import { EngineHarness, type TestJob } from '../engine-harness.ts';
import { MemorySessionState } from '../memory-session-state.ts';
import { MortalState } from './mortal-state.ts';
import { createNowebEngineFactory } from './noweb-engine-factory.ts';
import { runCommand } from './noweb-world.ts';

/** Where a host dies: so many milliseconds, or appends or writes of its state, after it is connected (or started). */
export interface Death {
  readonly at: 'milliseconds' | 'append' | 'write';
  readonly count: number;
  /** @default 'connected' */
  readonly since?: 'started' | 'connected';
}

export interface MortalOptions {
  readonly gate: 'durable' | 'off';
  /** How long a write to the disk takes. */
  readonly writeMs: number;
}

const BUS_MS = 2;
const REDELIVERY_MS = 20;

interface Host {
  readonly harness: EngineHarness;
  readonly state: MortalState;
  readonly died: PromiseWithResolvers<'died'>;
}

/**
 * One session and the hosts it has one after the other, each of which dies without a word. What is on the bus, on the
 * disk and in jobs outlives them. For tests.
 */
export class MortalSession {
  /** Everything the bus has accepted, in order. */
  readonly bus: EngineEvent[] = [];
  /** Bytes appended to the state by all hosts. */
  bytes = 0;
  /** Number of appends by all hosts. */
  appends = 0;
  readonly #simulator: Simulator;
  readonly #options: MortalOptions;
  readonly #name: string;
  readonly #hosts: Host[] = [];
  #disk = new MemorySessionState();
  #alive: Host | undefined;
  #buried = false;

  constructor(simulator: Simulator, name: string, options: MortalOptions) {
    this.#simulator = simulator;
    this.#name = name;
    this.#options = options;
  }

  get statuses(): readonly string[] {
    return this.#hosts.flatMap(({ harness }) => harness.states.map(({ status }) => status));
  }

  /** Starts a host on what is on the disk. `died` resolves when it is dead. */
  start(death?: Death): { readonly harness: EngineHarness; readonly died: Promise<unknown> } {
    let left = death?.count ?? 0;
    const reached = (at: Death['at']) => () => {
      if (death?.at !== at) return;
      if (death.since !== 'started' && host.harness.status?.status !== 'WORKING') return;
      left -= 1;
      if (left === 0) this.kill();
    };
    const state = new MortalState(this.#disk, {
      writeMs: this.#options.writeMs,
      appended: reached('append'),
      written: reached('write'),
    });
    const harness = new EngineHarness(
      createNowebEngineFactory({
        whatsappUrl: this.#simulator.wsUrl,
        whatsappRootKey: this.#simulator.rootKey,
        reconnect: { baseMs: 10, maxMs: 50 },
        gate: this.#options.gate,
      }),
      { session: this.#name, state, publish: (event, published) => this.#publish(host, event, published) },
    );
    const host: Host = { harness, state, died: Promise.withResolvers() };
    this.#hosts.push(host);
    this.#alive = host;
    harness.engine.start();
    if (death?.at === 'milliseconds') {
      const begun = death.since === 'started' ? Promise.resolve() : harness.reaches('WORKING');
      begun.then(
        () => setTimeout(() => this.#alive === host && this.kill(), death.count),
        () => undefined,
      );
    }
    return { harness, died: host.died.promise };
  }

  /** Resolves when all that the living host has appended so far is on the disk. */
  async settled(): Promise<void> {
    await this.#alive?.state.durable();
  }

  /** Runs a job as its queue would: again and again, until a host that lives says that it is done. */
  async send(job: TestJob, chatId: ChatId, text: string): Promise<void> {
    while (!this.#buried) {
      const host = this.#alive;
      if (host) {
        const outcome = runCommand(host.harness, { type: 'sendText', chatId, text }, job);
        const ended = await Promise.race([outcome, host.died.promise]);
        if (ended !== 'died' && ended.kind === 'sent' && this.#alive === host) return;
        if (ended !== 'died' && ended.kind === 'rejected') throw new Error(`rejected: ${ended.code}`);
      }
      await new Promise((resolve) => setTimeout(resolve, REDELIVERY_MS));
    }
  }

  /** Ends the host that lives now as SIGKILL would: nothing leaves any more, nothing more reaches the disk. */
  kill(): void {
    const host = this.#alive;
    if (!host) return;
    this.#alive = undefined;
    host.harness.owned = false;
    this.#disk = host.state.die();
    this.bytes += host.state.bytes;
    this.appends += host.state.head;
    const status = host.harness.status;
    if (status?.status === 'WORKING')
      this.#simulator.addFault({ kind: 'cut', match: { phone: phoneOf(status.me.id) } });
    host.died.resolve('died');
  }

  /** Tidies up behind the test: what the dead left in this process. */
  async bury(): Promise<void> {
    this.#buried = true;
    this.kill();
    await Promise.all(this.#hosts.map(({ harness }) => harness.engine.stop()));
  }

  /** As the outlet of a session does it: first the state, then the bus, then the word that the bus has it. */
  #publish(host: Host, event: EngineEvent, published: () => void): void {
    const alive = (work: () => void) => setTimeout(() => this.#alive === host && work(), BUS_MS);
    host.state.durable().then(
      () =>
        alive(() => {
          this.bus.push(event);
          alive(published);
        }),
      () => undefined,
    );
  }
}

function phoneOf(id: string): string {
  return id.slice(0, id.indexOf('@'));
}
