import type { SessionState, StateChange } from '../engines/engine.ts';

const KEY = 'meta/seq';
const BLOCK = 1_000;
/** More events than a session has in the days that backups reach back. */
const SKIPPED = 100_000_000;

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

/** The change after which numbers go on above all that were given after a backup of this state. */
export function skipSeqs(state: Pick<SessionState, 'get'>): StateChange {
  return { key: KEY, value: write(read(state.get(KEY)) + SKIPPED) };
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
