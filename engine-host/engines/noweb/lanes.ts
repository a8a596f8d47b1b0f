/** Work in lanes: what is put in one lane runs one after the other, in order; lanes do not wait for each other. */
export class Lanes {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `work` after everything already in the lane. A failure is the caller's; it does not stop the lane. */
  run<T>(lane: string, work: () => T | Promise<T>): Promise<T> {
    const result = (this.#tails.get(lane) ?? Promise.resolve()).then(work);
    const tail: Promise<void> = result.then(
      () => this.#leave(lane, tail),
      () => this.#leave(lane, tail),
    );
    this.#tails.set(lane, tail);
    return result;
  }

  /** Resolves when all lanes are empty. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }

  #leave(lane: string, tail: Promise<void>): void {
    if (this.#tails.get(lane) === tail) this.#tails.delete(lane);
  }
}
