import type { Clock } from '#shared/ports/clock.ts';

export interface ConnectLimiterOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Connections that one host may open in a second. */
  readonly perHost: number;
  /** Connections that all hosts together may open in a second. */
  readonly perFleet: number;
}

const SECOND_MS = 1_000;

/**
 * Spreads the opening of connections, so that a host with thousands of sessions, or a fleet after an outage, does not
 * log in all at once. After a quiet second, one second's worth of connections goes at once, then one by one at the rate, a
 * little irregularly. First come, first served.
 */
export class ConnectLimiter {
  readonly #options: ConnectLimiterOptions;
  /** In the order in which they came. */
  readonly #waiting = new Set<{ readonly callback: () => void }>();
  #hosts = 1;
  /** Time that the connections so far have used up at the rate: as far ahead of the clock as the bucket is empty. */
  #usedUntil = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ConnectLimiterOptions) {
    this.#options = options;
  }

  /** @param hosts that live, this one included; each gets an equal part of what the fleet may do */
  share(hosts: number): void {
    this.#hosts = Math.max(1, hosts);
  }

  /** Calls back when one more connection may be opened; at once when it may. @returns takes the wish back */
  once(callback: () => void): () => void {
    const wish = { callback };
    this.#waiting.add(wish);
    if (this.#timer === undefined) this.#serve();
    return () => void this.#waiting.delete(wish);
  }

  #serve(): void {
    this.#timer = undefined;
    for (const wish of this.#waiting) {
      const wait = this.#wait();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#serve(), wait);
        return;
      }
      this.#waiting.delete(wish);
      this.#usedUntil += this.#pause * (0.5 + Math.random());
      wish.callback();
    }
  }

  /** Milliseconds until a connection may be opened. */
  #wait(): number {
    const now = this.#options.clock.monotonic();
    this.#usedUntil = Math.max(this.#usedUntil, now);
    return Math.ceil(this.#usedUntil - now - Math.max(0, SECOND_MS - this.#pause));
  }

  get #pause(): number {
    const { perHost, perFleet } = this.#options;
    return SECOND_MS / Math.min(perHost, perFleet / this.#hosts);
  }
}
