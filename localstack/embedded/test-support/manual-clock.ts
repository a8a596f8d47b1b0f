import type { Clock } from '../clock.ts';

/** A clock that stands still until it is moved; due tasks run in the order of their times. */
export class ManualClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  #tasks: { readonly at: number; readonly task: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  schedule(delayMs: number, task: () => void): () => void {
    const entry = { at: this.#now + delayMs, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry);
    };
  }

  /** How long until each waiting task, shortest first. */
  delays(): readonly number[] {
    return this.#tasks.map(({ at }) => at - this.#now).sort((a, b) => a - b);
  }

  /** Moves to the next task and runs it; false if there is none. */
  runNext(): boolean {
    const [next] = this.#tasks.toSorted((a, b) => a.at - b.at);
    if (next === undefined) return false;
    this.#tasks = this.#tasks.filter((other) => other !== next);
    this.#now = Math.max(this.#now, next.at);
    next.task();
    return true;
  }
}
