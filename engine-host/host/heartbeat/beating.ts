import { NotOwnerError } from '#shared/domain/errors.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { OwnershipStore } from '#shared/ports/ownership-store.ts';
import { settledWithin, sleep } from '../sleep.ts';
import type { HostNews, PulseEvents, Registration } from './heartbeat.ts';
import type { SharedPulse } from './shared-pulse.ts';

export interface BeatingOptions {
  readonly store: Pick<OwnershipStore, 'heartbeat'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Milliseconds from one heartbeat to the next. */
  readonly every: number;
  readonly registration: Registration;
  readonly pulse: SharedPulse;
  readonly events: PulseEvents;
}

/** How long `stop` waits for a heartbeat that is on its way. */
const LAST_ANSWER_MS = 1_500;

/** The heartbeats of one incarnation, in whatever thread. They begin with the object. */
export class Beating {
  readonly #options: BeatingOptions;
  readonly #stopped = new AbortController();
  readonly #loop: Promise<void>;
  readonly #onTheirWay = new Set<Promise<void>>();
  #news: HostNews;

  constructor(options: BeatingOptions) {
    this.#options = options;
    this.#news = options.registration.news;
    this.#loop = this.#run();
  }

  say(news: HostNews): void {
    const isNew = news.state !== this.#news.state;
    this.#news = news;
    if (isNew && !this.#stopped.signal.aborted) void this.#send();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await settledWithin(Promise.all([this.#loop, ...this.#onTheirWay]), LAST_ANSWER_MS);
  }

  async #run(): Promise<void> {
    const { every } = this.#options;
    const { signal } = this.#stopped;
    for (;;) {
      await sleep(every, signal);
      if (signal.aborted) return;
      // A call that hangs must not keep the next one from being sent; when it is answered late, it still counts.
      await settledWithin(this.#send(), every / 2);
    }
  }

  #send(): Promise<void> {
    const sent: Promise<void> = this.#beat().finally(() => this.#onTheirWay.delete(sent));
    this.#onTheirWay.add(sent);
    return sent;
  }

  async #beat(): Promise<void> {
    const { store, clock, registration, pulse, events } = this.#options;
    const { hostId, incarnation } = registration;
    const { load, state } = this.#news;
    const sentAt = clock.monotonic();
    try {
      await store.heartbeat(hostId, incarnation, pulse.nextRvn(), load, state);
      pulse.accepted(sentAt);
      events.good();
    } catch (error) {
      if (error instanceof NotOwnerError) this.#lose();
      else events.failed(error);
    }
  }

  #lose(): void {
    const { pulse, events } = this.#options;
    const isNews = !pulse.isLost;
    pulse.lose();
    this.#stopped.abort();
    if (isNews) events.lost();
  }
}
