import type { Clock } from '../ports/clock.ts';

interface Entry<T> {
  readonly value: Promise<T>;
  readonly until: number;
}

/** Entries that are kept for a while: each for `lifetime` milliseconds at most, and at most `most` of them. */
export class ExpiringEntries<T> {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #lifetime: number;
  readonly #most: number;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(clock: Pick<Clock, 'monotonic'>, lifetime: number, most: number) {
    this.#clock = clock;
    this.#lifetime = lifetime;
    this.#most = most;
  }

  /** Who asks while it is being loaded waits for the same. What failed is not kept. */
  get(name: string, load: () => Promise<T>): Promise<T> {
    const now = this.#clock.monotonic();
    const known = this.#entries.get(name);
    this.#entries.delete(name);
    const entry = known !== undefined && known.until > now ? known : { value: load(), until: now + this.#lifetime };
    this.#entries.set(name, entry);
    if (entry !== known) entry.value.catch(() => this.#drop(name, entry));
    for (const [oldest] of this.#entries) {
      if (this.#entries.size <= this.#most) break;
      this.#entries.delete(oldest);
    }
    return entry.value;
  }

  forget(prefix: string): void {
    for (const name of [...this.#entries.keys()]) if (name.startsWith(prefix)) this.#entries.delete(name);
  }

  #drop(name: string, entry: Entry<T>): void {
    if (this.#entries.get(name) === entry) this.#entries.delete(name);
  }
}
