/** Work in lanes: what is put in one lane runs one after the other, in order; lanes do not wait for each other. */
export class Lanes {
  readonly #tails = new Map<string, Promise<void>>();

  /**
   * Runs `work` after everything already in the lane, or in any of several, and before all that comes later in one of
   * them. A failure is the caller's; it does not stop the lanes.
   */
  run<T>(lanes: string | readonly string[], work: () => T | Promise<T>): Promise<T> {
    const taken = typeof lanes === 'string' ? [lanes] : lanes;
    const result = Promise.all(taken.map((lane) => this.#tails.get(lane))).then(() => work());
    const tail: Promise<void> = result.then(
      () => this.#leave(taken, tail),
      () => this.#leave(taken, tail),
    );
    for (const lane of taken) this.#tails.set(lane, tail);
    return result;
  }

  /** Resolves when all lanes are empty. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }

  #leave(lanes: readonly string[], tail: Promise<void>): void {
    for (const lane of lanes) if (this.#tails.get(lane) === tail) this.#tails.delete(lane);
  }
}
