import type { SessionState, StateChange } from '../engines/engine.ts';

const KEY = 'meta/seq';
const BLOCK = 1_000;
/** More events than a session has in the days that backups reach back. */
const SKIPPED = 100_000_000;

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

/**
 * The change after which numbers go on above all that were given after a backup of this state.
 *
 * @param createdAt of the session, milliseconds since 1970
 */
export function skipSeqs(state: Pick<SessionState, 'get'>, createdAt: number): StateChange {
  return { key: KEY, value: write(Math.max(createdAt, read(state.get(KEY))) + SKIPPED) };
}

/** The value with which the numbers of a state that knows none go on behind `last`, which the event log has. */
export function seqsBehind(last: number): readonly [key: string, value: Uint8Array] {
  return [KEY, write(last)];
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
