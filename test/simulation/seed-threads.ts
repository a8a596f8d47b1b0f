import { Worker } from 'node:worker_threads';
import type { SimulationOptions, SimulationResult } from './simulation.ts';

interface Thread {
  readonly worker: Worker;
  run(options: SimulationOptions): Promise<SimulationResult>;
}

/** Runs several seeds at a time: a run puts its thread's clock and timers under its own, so each has a thread. */
export class SeedThreads {
  readonly #threads: readonly Thread[];
  readonly #free: Thread[];
  readonly #waiting: ((thread: Thread) => void)[] = [];

  constructor(count: number) {
    this.#threads = Array.from({ length: count }, startThread);
    this.#free = [...this.#threads];
  }

  /** Results in the order of the seeds, however long each takes. @throws Error when the code of a run throws */
  async *run(all: Iterable<SimulationOptions>): AsyncGenerator<SimulationResult> {
    const begun: Promise<SimulationResult>[] = [];
    for (const options of all) {
      const result = this.#runOne(options);
      // Its failure is reported when its turn comes.
      result.catch(() => {});
      begun.push(result);
      const next = begun.length > 2 * this.#threads.length ? begun.shift() : undefined;
      if (next !== undefined) yield await next;
    }
    for (const result of begun) yield await result;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  async #runOne(options: SimulationOptions): Promise<SimulationResult> {
    const thread = this.#free.pop() ?? (await new Promise<Thread>((resolve) => this.#waiting.push(resolve)));
    try {
      return await thread.run(options);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(thread);
      else next(thread);
    }
  }
}

function startThread(): Thread {
  const worker = new Worker(new URL('./seed-worker.ts', import.meta.url));
  let settle: PromiseWithResolvers<SimulationResult> | undefined;
  let broken: Error | undefined;
  worker.on('message', (result: SimulationResult) => settle?.resolve(result));
  worker.on('error', (error: Error) => {
    broken = error;
    settle?.reject(error);
  });
  return {
    worker,
    run: (options) => {
      if (broken !== undefined) return Promise.reject(broken);
      settle = Promise.withResolvers();
      worker.postMessage(options);
      return settle.promise;
    },
  };
}
