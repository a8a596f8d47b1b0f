import type { SessionRow } from '#shared/contracts/rows.ts';
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
  readonly #reserve: (bound: number) => void;
  #next: number;
  #reserved: number;

  /**
   * @param from below every number that it gives
   * @param reserve notes that numbers up to `bound` may be given
   */
  constructor(from: number, reserve: (bound: number) => void) {
    this.#reserve = reserve;
    this.#reserved = from;
    this.#next = from;
  }

  /** Above every number that it has given. */
  get reserved(): number {
    return this.#reserved;
  }

  next(): number {
    if (this.#next >= this.#reserved) {
      this.#reserved = this.#next + BLOCK;
      this.#reserve(this.#reserved);
    }
    this.#next += 1;
    return this.#next;
  }
}

/** Goes on where a state says that its numbers end. @param from below every number that it gives */
export function seqsOfState(state: Pick<SessionState, 'get' | 'append'>, from: number): SeqCounter {
  return new SeqCounter(Math.max(from, read(state.get(KEY))), (bound) => {
    state.append([{ key: KEY, value: write(bound) }]);
  });
}

/**
 * The change after which numbers go on above all that were given after a backup of this state.
 *
 * @param createdAt of the session, milliseconds since 1970
 */
export function skipSeqs(state: Pick<SessionState, 'get'>, createdAt: number): StateChange {
  return { key: KEY, value: write(Math.max(createdAt, read(state.get(KEY))) + SKIPPED) };
}

/**
 * From where numbers go on without the state that has counted them.
 *
 * @param last of the event log; 0 where it has nothing of the session
 * @param now milliseconds since 1970
 */
export function seqWithoutState(
  { createdAt, reservedSeq = 0, restored }: Pick<SessionRow, 'createdAt' | 'reservedSeq' | 'restored'>,
  last: number,
  now: number,
): number {
  // What an owner before has numbered may still be on its way; what was numbered after a backup is in no log here.
  const margin = restored === undefined ? BLOCK : SKIPPED;
  // All that there was has expired, and numbers grow slower than time.
  const behind = last === 0 ? now : last + margin;
  return Math.max(createdAt, reservedSeq, behind);
}

/** The value with which a state that knows no numbers goes on from there. */
export function seqValue(from: number): readonly [key: string, value: Uint8Array] {
  return [KEY, write(from)];
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
