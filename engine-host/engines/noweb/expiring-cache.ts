/** A small map whose entries expire and whose oldest make room. Fits where Baileys takes a cache. */
export class ExpiringCache {
  readonly #entries = new Map<string, { readonly value: unknown; readonly until: number }>();
  readonly #lifetimeMs: number;
  readonly #capacity: number;

  constructor(capacity: number, lifetimeMs: number) {
    this.#capacity = capacity;
    this.#lifetimeMs = lifetimeMs;
  }

  get<T>(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (entry.until < performance.now()) {
      this.#entries.delete(key);
      return undefined;
    }
    // The reader names the type it has put in under this key; Baileys' cache interface asks for exactly that.
    return entry.value as T;
  }

  set<T>(key: string, value: T): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, until: performance.now() + this.#lifetimeMs });
    if (this.#entries.size > this.#capacity) {
      const oldest = this.#entries.keys().next().value;
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
  }

  del(key: string): void {
    this.#entries.delete(key);
  }

  flushAll(): void {
    this.#entries.clear();
  }
}
