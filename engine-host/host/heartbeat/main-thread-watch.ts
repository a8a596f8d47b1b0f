/**
 * Tells a busy main thread from one that has stopped for good, whose sessions nobody would run while the heartbeat goes
 * on. It counts looks, not time: a process that was stopped and goes on has missed as many looks as turns.
 */
export class MainThreadWatch {
  readonly #turns: Int32Array;
  readonly #mostLooks: number;
  #seen = 0;
  #looks = 0;

  /** @param mostLooks without a move of the counter from which on the thread counts as stalled */
  constructor(turns: SharedArrayBuffer, mostLooks: number) {
    this.#turns = new Int32Array(turns);
    this.#mostLooks = mostLooks;
  }

  /** One look. */
  isStalled(): boolean {
    const now = Atomics.load(this.#turns, 0);
    this.#looks = now === this.#seen ? this.#looks + 1 : 0;
    this.#seen = now;
    return this.#looks >= this.#mostLooks;
  }
}
