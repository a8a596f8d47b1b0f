/** Something that will happen to a process, or to the world around the processes. */
export interface Happening {
  at: number;
  /** Breaks ties: what was planned first happens first. */
  order: number;
  readonly process: SimProcess | undefined;
  readonly run: () => void;
  cancelled: boolean;
}

/** One engine host as the operating system sees it. */
export class SimProcess {
  readonly name: string;
  readonly clock: { now(): number; monotonic(): number };
  alive = true;
  paused = false;
  /** What would have happened to it while it was stopped. */
  readonly held: Happening[] = [];

  constructor(name: string, clock: SimProcess['clock']) {
    this.name = name;
    this.clock = clock;
  }
}

/** Virtual wall clock at the start of every run, milliseconds since 1970. */
export const EPOCH_MS = 1_800_000_000_000;

const realSetImmediate = globalThis.setImmediate;

/**
 * Virtual time. One thing happens at a time; all promises that it settles run to their end before the next. What a dead
 * process had planned never happens, what a stopped one had planned happens when it goes on.
 */
export class Timeline {
  now = 0;
  /** The process whose code is running. */
  current: SimProcess | undefined;
  happened = 0;
  readonly #heap: Happening[] = [];
  #order = 0;

  in(process: SimProcess | undefined, delay: number, run: () => void): Happening {
    this.#order += 1;
    const at = this.now + Math.max(0, delay);
    const happening: Happening = { at, order: this.#order, process, run, cancelled: false };
    this.#push(happening);
    return happening;
  }

  /** Runs code of a process from outside of its own happenings. */
  async enter(process: SimProcess, run: () => void): Promise<void> {
    this.current = process;
    run();
    await new Promise((resolve) => realSetImmediate(resolve));
    this.current = undefined;
  }

  /** @param stop looked at after everything that happens */
  async advance(ms: number, stop: () => boolean): Promise<void> {
    const until = this.now + ms;
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0]) {
      this.#pop();
      this.now = Math.max(this.now, next.at);
      if (next.cancelled || next.process?.alive === false) continue;
      if (next.process?.paused === true) {
        next.process.held.push(next);
        continue;
      }
      this.happened += 1;
      this.current = next.process;
      next.run();
      await new Promise((resolve) => realSetImmediate(resolve));
      this.current = undefined;
      if (stop()) return;
    }
    this.now = until;
  }

  resume(process: SimProcess): void {
    process.paused = false;
    for (const happening of process.held.splice(0)) {
      happening.at = this.now;
      this.#push(happening);
    }
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let index = heap.push(happening) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, happening)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const [left, right] = [heap[2 * index + 1], heap[2 * index + 2]];
      if (left === undefined) break;
      const takesRight = right !== undefined && isBefore(right, left);
      const child = takesRight ? right : left;
      if (isBefore(last, child)) break;
      heap[index] = child;
      index = 2 * index + (takesRight ? 2 : 1);
    }
    heap[index] = last;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
