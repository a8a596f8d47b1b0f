const NS_PER_MS = 1e6;
const SENT_AT = 0;
const LOST = 1;
const RVN = 2;
const CELLS = 3;

/**
 * What a heartbeat knows, in memory that two threads share: one beats and writes, the other reads before every side
 * effect. Times are the process's monotonic clock (see `systemClock`), in nanoseconds.
 */
export class SharedPulse {
  readonly memory: SharedArrayBuffer;
  readonly #cells: BigInt64Array;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#cells = new BigInt64Array(memory);
  }

  static create(first: { readonly sentAt: number; readonly rvn: number }): SharedPulse {
    const pulse = new SharedPulse(new SharedArrayBuffer(CELLS * BigInt64Array.BYTES_PER_ELEMENT));
    Atomics.store(pulse.#cells, SENT_AT, nanoseconds(first.sentAt));
    Atomics.store(pulse.#cells, RVN, BigInt(first.rvn));
    return pulse;
  }

  /** Milliseconds. */
  get sentAt(): number {
    return Number(Atomics.load(this.#cells, SENT_AT)) / NS_PER_MS;
  }

  get isLost(): boolean {
    return Atomics.load(this.#cells, LOST) !== 0n;
  }

  /** Kept here so that a thread that takes over goes on counting: a number that was used before would move nothing. */
  nextRvn(): number {
    return Number(Atomics.add(this.#cells, RVN, 1n)) + 1;
  }

  /** Answers may come in another order than the heartbeats left. */
  accepted(sentAt: number): void {
    const sent = nanoseconds(sentAt);
    if (sent > Atomics.load(this.#cells, SENT_AT)) Atomics.store(this.#cells, SENT_AT, sent);
  }

  lose(): void {
    Atomics.store(this.#cells, LOST, 1n);
  }
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.floor(ms * NS_PER_MS));
}
