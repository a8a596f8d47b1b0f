import type { SessionState } from '../engines/engine.ts';

const KEY = 'meta/seq';
const BLOCK = 1_000;

/**
 * Numbers a session's events. Numbers are reserved in blocks ahead of their use, and an event is published only after
 * its block is durable, so that they grow over crashes too: what was reserved and not used is skipped. They begin at the
 * session's creation in milliseconds, so that they also grow over a deletion and whoever has read an earlier session of
 * the name misses nothing of this one.
 */
export class SeqCounter {
  readonly #state: SessionState;
  #next: number;
  #reserved: number;

  /** @param createdAt of the session, milliseconds since 1970 */
  constructor(state: SessionState, createdAt: number) {
    this.#state = state;
    this.#reserved = Math.max(createdAt, read(state.get(KEY)));
    this.#next = this.#reserved;
  }

  next(): number {
    if (this.#next >= this.#reserved) {
      this.#reserved = this.#next + BLOCK;
      this.#state.append([{ key: KEY, value: write(this.#reserved) }]);
    }
    this.#next += 1;
    return this.#next;
  }
}

function read(value: Uint8Array | undefined): number {
  if (value === undefined) return 0;
  return Number(Buffer.from(value).readBigUInt64LE());
}

function write(bound: number): Uint8Array {
  const value = Buffer.alloc(8);
  value.writeBigUInt64LE(BigInt(bound));
  return value;
}
