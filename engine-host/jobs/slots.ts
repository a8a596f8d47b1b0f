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
    this.#wakeNext();
  }

  /** Resolves when a slot is free or `signal` is aborted. */
  async free(signal: AbortSignal): Promise<void> {
    while (this.#taken >= this.#size && !signal.aborted) {
      await this.#wait(signal);
    }
    // Who leaves without a slot may have been woken for one.
    if (signal.aborted) this.#wakeNext();
  }

  #wakeNext(): void {
    if (this.#taken < this.#size) this.#waiting.shift()?.();
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        const place = this.#waiting.indexOf(wake);
        if (place >= 0) this.#waiting.splice(place, 1);
        resolve();
      };
      this.#waiting.push(wake);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
