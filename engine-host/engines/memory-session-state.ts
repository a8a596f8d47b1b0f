import type { Mark, SessionState, StateChange } from './engine.ts';

/** A session's state that lives only in memory: for tests and for engines that are tried out without a host. */
export class MemorySessionState implements SessionState {
  readonly #values = new Map<string, Uint8Array>();
  #head = 0;

  get head(): Mark {
    return this.#head;
  }

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  keys(prefix: string): readonly string[] {
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix));
  }

  append(changes: readonly StateChange[]): Mark {
    for (const { key, value } of changes) {
      if (value === null) this.#values.delete(key);
      else this.#values.set(key, Uint8Array.from(value));
    }
    this.#head += 1;
    return this.#head;
  }

  async durable(): Promise<void> {}
}
