import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { ResourceNames } from '#shared/contracts/resources.ts';
import type { HostNews } from '#shared/ports/ownership-store.ts';
import { settledWithin } from '../sleep.ts';
import type { Heartbeat, Pulse, PulseEvents, Registration } from './heartbeat.ts';
import { SharedPulse } from './shared-pulse.ts';
import type { FromHeartbeatWorker, HeartbeatWorkerData, ToHeartbeatWorker } from './worker-messages.ts';

export interface WorkerHeartbeatOptions {
  readonly tables: Pick<ResourceNames['tables'], 'hosts' | 'shards'>;
  /** Milliseconds from one heartbeat to the next. */
  readonly every: number;
  /** Milliseconds without a turn of this thread's event loop after which the worker ends the process. */
  readonly stallAfter: number;
  readonly logger: Logger;
  /** The worker cannot be kept running: the host would stay suspended for good. */
  readonly onBroken: (error: Error) => void;
  /** What the worker runs: `main.ts` beside this file, wherever a bundle has put it. */
  readonly program: URL;
}

interface Current {
  readonly registration: Registration;
  readonly pulse: SharedPulse;
  readonly events: PulseEvents;
  news: HostNews;
  isLossTold: boolean;
  stopped: PromiseWithResolvers<void> | undefined;
}

/** Ends of the worker, with no good heartbeat between them, after which it is not started again. */
const MOST_ENDS = 3;
const LAST_WORD_MS = 2_000;
const TURN_MS = 500;
/** A heartbeat makes little garbage; without a bound V8 keeps as much of it as in the main thread. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

/**
 * Beats in a worker thread with its own connection, so that a busy event loop does not cost ownership. What it learns is
 * in shared memory at once and told by message after. When the worker ends, the leases run out within `suspendAfter`;
 * another worker goes on from where it was.
 */
export class WorkerHeartbeat implements Heartbeat {
  readonly #options: WorkerHeartbeatOptions;
  readonly #turns = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  readonly #turning: NodeJS.Timeout;
  #worker: Worker;
  #current: Current | undefined;
  #ends = 0;
  #closed = false;

  constructor(options: WorkerHeartbeatOptions) {
    this.#options = options;
    const counter = new Int32Array(this.#turns);
    this.#turning = setInterval(() => Atomics.add(counter, 0, 1), TURN_MS);
    this.#turning.unref();
    this.#worker = this.#startWorker();
  }

  begin(registration: Registration, events: PulseEvents): Pulse {
    const pulse = SharedPulse.create(registration);
    const { news } = registration;
    const current: Current = { registration, pulse, events, news, isLossTold: false, stopped: undefined };
    this.#current = current;
    this.#tell({ type: 'begin', registration, memory: pulse.memory });
    return {
      get sentAt() {
        return pulse.sentAt;
      },
      get isLost() {
        return pulse.isLost;
      },
      say: (latest) => {
        current.news = latest;
        if (this.#current === current) this.#tell({ type: 'say', news: latest });
      },
      stop: () => this.#stop(current),
    };
  }

  /** Ends the worker. Resolves when it is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#turning);
    await this.#worker.terminate();
  }

  async #stop(current: Current): Promise<void> {
    if (this.#current !== current) return;
    if (current.stopped === undefined) {
      current.stopped = Promise.withResolvers<void>();
      this.#tell({ type: 'stop' });
    }
    await settledWithin(current.stopped.promise, LAST_WORD_MS);
    if (this.#current === current) this.#current = undefined;
  }

  #startWorker(): Worker {
    const { tables, every, stallAfter, program } = this.#options;
    const stallBeats = Math.ceil(stallAfter / every);
    const data: HeartbeatWorkerData = { tables, every, stallBeats, turns: this.#turns };
    const worker = new Worker(program, { workerData: data, resourceLimits: RESOURCE_LIMITS });
    let reason: unknown;
    worker.on('message', (message: FromHeartbeatWorker) => this.#hear(message));
    worker.on('error', (error) => {
      reason = error;
    });
    worker.on('exit', (code) => this.#ended(reason ?? new Error(`It ended with code ${code}`)));
    return worker;
  }

  #ended(reason: unknown): void {
    if (this.#closed) return;
    this.#ends += 1;
    this.#options.logger.error({ err: reason, ends: this.#ends }, 'the heartbeat thread has ended');
    if (this.#ends >= MOST_ENDS) {
      this.#options.onBroken(new Error('The heartbeat thread ends again and again', { cause: reason }));
      return;
    }
    this.#worker = this.#startWorker();
    if (this.#current !== undefined) this.#goOnWith(this.#current);
  }

  #goOnWith(current: Current): void {
    if (current.pulse.isLost) this.#lost(current);
    else if (current.stopped !== undefined) current.stopped.resolve();
    else {
      const registration = { ...current.registration, news: current.news };
      this.#tell({ type: 'begin', registration, memory: current.pulse.memory });
    }
  }

  #hear(message: FromHeartbeatWorker): void {
    const current = this.#current;
    if (message.incarnation !== current?.registration.incarnation) return;
    switch (message.type) {
      case 'good':
        this.#ends = 0;
        current.events.good();
        return;
      case 'lost':
        this.#lost(current);
        return;
      case 'failed':
        current.events.failed(new Error(message.reason));
        return;
      case 'stopped':
        current.stopped?.resolve();
    }
  }

  #lost(current: Current): void {
    if (current.isLossTold) return;
    current.isLossTold = true;
    current.events.lost();
  }

  #tell(message: ToHeartbeatWorker): void {
    this.#worker.postMessage(message);
  }
}
