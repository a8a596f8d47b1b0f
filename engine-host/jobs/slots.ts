/** Bounds the messages that are under way in a host. Whoever finds all slots taken waits before it receives more. */
export class Slots {
  readonly #size: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(size: number) {
    this.#size = size;
  }

  take(): void {
    this.#taken += 1;
  }

  release(): void {
    this.#taken -= 1;
    if (this.#taken < this.#size) this.#waiting.shift()?.();
  }

  /** Resolves when a slot is free or `signal` is aborted. */
  async free(signal: AbortSignal): Promise<void> {
    while (this.#taken >= this.#size && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}
