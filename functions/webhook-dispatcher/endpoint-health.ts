import type { LastDelivery, WebhookEndpointRow } from '#shared/contracts/webhook-rows.ts';
import type { DeliveryOutcome } from '#shared/domain/webhook-outcome.ts';
import { breakerDelayMs } from '#shared/domain/webhook-schedule.ts';
import type { EndpointProgress } from '#shared/ports/webhook-store.ts';

/**
 * What is known of an endpoint while a run tries to deliver to it: whether it answers, and until when it wants to be left
 * alone.
 */
export class EndpointHealth {
  readonly #random: () => number;
  readonly #enabling: string | undefined;
  #failures: number;
  /** End of the pause that failures have made; a success lifts it. */
  #pausedUntil: number | undefined;
  /** Until then the receiver wants nothing, whatever else it has answered. */
  #unwelcomeUntil: number | undefined;
  #isNews = false;
  #disabledAt: number | undefined;
  #last: LastDelivery | undefined;
  #delivered = 0;
  #failed = 0;
  readonly #sum = { deliveries: 0, failures: 0, givenUp: 0 };

  constructor({ failures, enabling }: Pick<WebhookEndpointRow, 'failures' | 'enabling'>, random: () => number) {
    this.#failures = failures;
    this.#enabling = enabling;
    this.#random = random;
  }

  /** It has not answered well since it was left alone: one try at a time. */
  get isDoubtful(): boolean {
    return breakerDelayMs(this.#failures, 0) !== undefined;
  }

  /** It must not be tried now. */
  get isClosedTo(): boolean {
    return this.nextTryAt !== undefined || this.#disabledAt !== undefined;
  }

  /** When it may be tried again, if that was decided in this run. */
  get nextTryAt(): number | undefined {
    if (this.#pausedUntil === undefined || this.#unwelcomeUntil === undefined)
      return this.#pausedUntil ?? this.#unwelcomeUntil;
    return Math.max(this.#pausedUntil, this.#unwelcomeUntil);
  }

  get isGone(): boolean {
    return this.#disabledAt !== undefined;
  }

  /** Of this run. */
  get sum(): { readonly deliveries: number; readonly failures: number; readonly givenUp: number } {
    return this.#sum;
  }

  /** @param isFirstTry of the event: whoever refuses one again may refuse this one only, and that counts for less */
  note(outcome: DeliveryOutcome, eventId: string, now: number, isFirstTry: boolean): LastDelivery {
    this.#sum[outcome.kind === 'delivered' ? 'deliveries' : 'failures'] += 1;
    this.#isNews = true;
    switch (outcome.kind) {
      case 'delivered':
        this.#noteWell();
        this.#delivered += 1;
        break;
      case 'permanent':
        // It answers, and that is all that matters here.
        this.#noteWell();
        break;
      case 'rate-limited':
        this.#noteFailure(now, isFirstTry);
        this.#unwelcomeUntil = Math.max(this.#unwelcomeUntil ?? 0, now + outcome.waitMs);
        break;
      case 'gone':
        this.#disabledAt = now;
        break;
      case 'transient':
        this.#noteFailure(now, isFirstTry);
    }
    this.#last = {
      at: now,
      outcome: outcome.kind,
      ...('status' in outcome && outcome.status !== undefined && { status: outcome.status }),
      ...('reason' in outcome && { reason: outcome.reason }),
      eventId,
    };
    return this.#last;
  }

  /** Events that get no further try. */
  noteGivenUp(count: number): void {
    this.#failed += count;
    this.#sum.givenUp += count;
    this.#isNews ||= count > 0;
  }

  /** What there is to write down since the last time; undefined when there is nothing. */
  takeProgress(): EndpointProgress | undefined {
    if (!this.#isNews) return undefined;
    const progress = {
      failures: this.#failures,
      nextTryAt: this.nextTryAt ?? null,
      ...(this.#disabledAt !== undefined && {
        disabled: { at: this.#disabledAt, reason: 'gone' as const, enabling: this.#enabling },
      }),
      ...(this.#last !== undefined && { last: this.#last }),
      delivered: this.#delivered,
      failed: this.#failed,
    };
    this.#isNews = false;
    this.#delivered = 0;
    this.#failed = 0;
    return progress;
  }

  #noteWell(): void {
    this.#failures = 0;
    this.#pausedUntil = undefined;
  }

  #noteFailure(now: number, isFirstTry: boolean): void {
    // Posts that were on the way together tell of one disturbance.
    if (this.isClosedTo) return;
    if (isFirstTry) this.#failures += 1;
    const delay = breakerDelayMs(this.#failures, this.#random());
    if (delay !== undefined) this.#pausedUntil = now + delay;
  }
}
