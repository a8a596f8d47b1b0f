import type { SessionState } from '../engines/engine.ts';

const KEY = 'meta/seq';
const BLOCK = 1_000;

/**
 * Numbers a session's events. Numbers are reserved in blocks ahead of their use, and an event is published only after
 * its block is durable, so that they grow over crashes too: what was reserved and not used is skipped.
 */
export class SeqCounter {
  readonly #state: SessionState;
  #next: number;
  #reserved: number;

  constructor(state: SessionState) {
    this.#state = state;
    this.#reserved = read(state.get(KEY));
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
