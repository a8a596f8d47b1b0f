import { setImmediate } from 'node:timers/promises';
import { ulid } from 'ulid';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import type { WebhookEndpointRow } from '#shared/contracts/webhook-rows.ts';
import { type WebhookConfig, wantsEvent } from '#shared/contracts/webhooks.ts';
import { type EventFilter, passesFilter } from '#shared/domain/webhook-filter.ts';
import { deliveryOutcome } from '#shared/domain/webhook-outcome.ts';
import type { Logger } from '#shared/observability/logger.ts';
import { METRICS, type Metrics } from '#shared/observability/metrics.ts';
import { eventFields } from '#shared/observability/subjects.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { EventLog, LoggedEvent } from '#shared/ports/event-log.ts';
import type { WebhookNotices } from '#shared/ports/webhook-notices.ts';
import type { WebhookQueue } from '#shared/ports/webhook-queue.ts';
import type { WebhookSender } from '#shared/ports/webhook-sender.ts';
import type { WebhookStore } from '#shared/ports/webhook-store.ts';
import { deliveryRequest } from './delivery-request.ts';
import { EndpointHealth } from './endpoint-health.ts';
import { eventFacts } from './event-facts.ts';
import { runLanes } from './lanes.ts';
import { afterFailure, givenUp, type SetAside, untried } from './tried-event.ts';

export interface EndpointRunDeps {
  readonly store: WebhookStore;
  readonly log: Pick<EventLog, 'read' | 'find' | 'lastBefore'>;
  readonly queue: WebhookQueue;
  readonly sender: WebhookSender;
  readonly notices: WebhookNotices;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly userAgent: string;
  /** After this time a run begins nothing more and leaves the rest to another, milliseconds. */
  readonly budgetMs: number;
  /**
   * Of what was set aside at an ordered endpoint a run looks at so much. While there is more, what is new waits in the
   * log: it may be behind that.
   */
  readonly mostHeld: number;
  readonly metrics: Metrics;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

export interface RunTarget {
  readonly row: WebhookEndpointRow;
  readonly webhook: WebhookConfig;
  readonly filter: EventFilter;
  /** Whether what was set aside is looked at: when a timer says so, and always where it keeps back what is new. */
  readonly looksBack: boolean;
}

const PAGE = 100;
const POSTS_AT_ONCE = 10;
/** Of a run's time, for what was set aside: what is new must not wait until all of that is through. */
const RETRY_SHARE = 0.5;
/** Of the rest of a run's time, for finding out what of a page is wanted. */
const FILTER_SHARE = 0.5;
const TIMER_STEP_MS = 1_000;

/** A delivery in hand, with its event when that has been read already. */
interface InHand {
  readonly delivery: SetAside;
  readonly envelope?: EventEnvelope;
}

/**
 * One turn of work for one endpoint: what was set aside and is due, then what is new in the log. Whatever it leaves
 * undone has something in the queue that brings it up again: a timer is set before the row that waits for it is written.
 */
export class EndpointRun {
  readonly #deps: EndpointRunDeps;
  readonly #target: RunTarget;
  readonly #health: EndpointHealth;
  readonly #until: number;
  /** Lanes in which something waits: what comes behind it has to wait too. */
  readonly #blocked = new Set<string>();
  #cursor: number;
  /** There may be more that was set aside and is due. */
  #isCutShort = false;
  /** More is set aside than a run looks at. */
  #isFull = false;
  /** Every run does something, however long it took to see what. */
  #hasBegun = false;

  constructor(target: RunTarget, deps: EndpointRunDeps) {
    this.#deps = deps;
    this.#target = target;
    this.#cursor = target.row.cursor;
    this.#health = new EndpointHealth(target.row, deps.random);
    this.#until = deps.clock.monotonic() + deps.budgetMs;
  }

  async run(): Promise<void> {
    let more: boolean;
    try {
      if (this.#target.looksBack) await this.#lookBack();
      more = await this.#readOn();
    } finally {
      this.#count();
    }
    if ((more || this.#isCutShort) && !this.#health.isClosedTo) {
      const { session, endpointId } = this.#target.row;
      await this.#deps.queue.wake([{ wake: { session, endpointId }, cause: ulid() }]);
    }
  }

  #count(): void {
    const { deliveries, failures, givenUp } = this.#health.sum;
    if (deliveries + failures + givenUp === 0) return;
    this.#deps.metrics.emit({ Pool: 'socket' }, [
      [METRICS.webhookDeliveries, deliveries],
      [METRICS.webhookFailures, failures],
      [METRICS.webhooksGivenUp, givenUp],
    ]);
  }

  async #lookBack(): Promise<void> {
    if (this.#target.row.setAside === undefined) return;
    if (this.#health.isDoubtful) await this.#probe();
    if (!this.#health.isClosedTo && !this.#isLate()) await this.#retry();
  }

  /**
   * Asks an endpoint in doubt with what is new: an event that it has refused before may be refused by one that is well.
   * Without anything new, those set aside have to do.
   */
  async #probe(): Promise<void> {
    const held = this.#target.webhook.ordered ? await this.#held() : [];
    for (const delivery of held) this.#blocked.add(this.#laneOf(delivery));
    await this.#readOn(() => this.#health.isDoubtful);
    this.#blocked.clear();
  }

  async #retry(): Promise<void> {
    const until = this.#partOfTheRest(RETRY_SHARE);
    await (this.#target.webhook.ordered ? this.#retryHeld(until) : this.#retryDue(until));
  }

  /** What waits for another try, due or not: each keeps back what is behind it in its chat. */
  async #held(): Promise<readonly SetAside[]> {
    const { store, mostHeld } = this.#deps;
    const held = await store.deliveries(this.#target.row, { state: 'RETRYING', limit: mostHeld, after: -1 });
    this.#isFull = held.length >= mostHeld;
    return held;
  }

  async #retryHeld(until: number): Promise<void> {
    const held = await this.#held();
    if (held.length === 0) return await this.#noteNoneLeft();
    const isLeft = await this.#retryEach(held, until);
    const left = held.filter(isLeft);
    for (const delivery of left) this.#blocked.add(this.#laneOf(delivery));
    this.#isCutShort = this.#isLate(until) || (this.#isFull && left.length < held.length);
  }

  /** Page by page: what was tried is due later, or not there any more. */
  async #retryDue(until: number): Promise<void> {
    const { store, clock } = this.#deps;
    const { row } = this.#target;
    const now = clock.now();
    while (!this.#health.isClosedTo) {
      if (this.#isLate(until)) {
        this.#isCutShort = true;
        return;
      }
      const due = await store.due(row, now, PAGE);
      if (due.length === 0) break;
      await this.#retryEach(due, until);
    }
    const [first] = await store.deliveries(row, { state: 'RETRYING', limit: 1, after: -1 });
    if (first === undefined) await this.#noteNoneLeft();
  }

  /** @returns whether a delivery of them waits for another try after that */
  async #retryEach(deliveries: readonly SetAside[], until: number): Promise<(delivery: SetAside) => boolean> {
    const { store } = this.#deps;
    const settled = new Set<number>();
    const changed = await this.#try(
      deliveries.map((delivery) => ({ delivery })),
      async (seq) => {
        settled.add(seq);
        await store.settle(this.#target.row, seq);
      },
      until,
    );
    await this.#writeDown([...changed.values()]);
    return ({ seq }) => !settled.has(seq) && changed.get(seq)?.state !== 'FAILED';
  }

  async #noteNoneLeft(): Promise<void> {
    const { row } = this.#target;
    if (row.setAside !== undefined) await this.#deps.store.noneLeft(row, row.setAside);
  }

  /** @returns true when there is more to do at once */
  async #readOn(goesOn = () => true): Promise<boolean> {
    const { log } = this.#deps;
    const { session } = this.#target.row;
    while (!this.#isFull && !this.#health.isClosedTo && goesOn()) {
      if (this.#isLate()) return true;
      const page = await log.read(session, this.#cursor, PAGE);
      if (page.length === 0) return false;
      await this.#deliver(page);
      this.#hasBegun = true;
      const isAtEnd = page.length < PAGE && this.#cursor === page.at(-1)?.envelope.seq;
      // What comes behind it wakes somebody itself; what there was no time for wakes nobody.
      if (isAtEnd && !this.#isLate()) return false;
    }
    return false;
  }

  async #deliver(found: readonly LoggedEvent[]): Promise<void> {
    const now = this.#deps.clock.now();
    const aside = new Map<number, SetAside>();
    const inHand: InHand[] = [];
    const page: LoggedEvent[] = [];
    const until = this.#partOfTheRest(FILTER_SHARE);
    for (const event of found) {
      if (this.#target.filter.matches !== undefined) {
        // A pattern may take its time with a text. Between two of them others have their turn, as who holds the wake-up.
        await setImmediate();
        if (page.length > 0 && this.#deps.clock.monotonic() >= until) break;
      }
      page.push(event);
      const { envelope, loggedAt } = event;
      if (!this.#isWanted(envelope)) continue;
      const delivery = untried(envelope, loggedAt, eventFacts(envelope), now);
      if (this.#blocked.has(this.#laneOf(delivery))) aside.set(envelope.seq, delivery);
      else inHand.push({ delivery, envelope });
    }
    const done = new Set<number>();
    const failed = await this.#try(inHand, async (seq) => {
      done.add(seq);
    });
    for (const delivery of failed.values()) aside.set(delivery.seq, delivery);
    // Of what was not begun (the run had to stop, or something waits in front of it), the part before the last event that
    // was tried is set aside; the cursor does not pass the rest.
    const untouched = inHand.filter(({ delivery: { seq } }) => !done.has(seq) && !aside.has(seq));
    const first = untouched[0]?.delivery.seq;
    const last =
      first === undefined
        ? (page.at(-1)?.envelope.seq ?? this.#cursor)
        : lastTouched(page, first, [...done, ...failed.keys()]);
    for (const { delivery } of untouched) if (delivery.seq <= last) aside.set(delivery.seq, delivery);
    this.#cursor = last;
    await this.#writeDown([...aside.values()].filter(({ seq }) => seq <= last));
  }

  /**
   * Posts, several at once, until the endpoint must be left alone or time is up. Lanes whose first delivery does not get
   * through are blocked.
   *
   * @returns the deliveries that have changed and are not delivered
   */
  async #try(
    items: readonly InHand[],
    delivered: (seq: number) => Promise<void>,
    until = this.#until,
  ): Promise<Map<number, SetAside>> {
    const changed = new Map<number, SetAside>();
    const begun = new Set<number>();
    const work = async (item: InHand): Promise<'go-on' | 'stop'> => {
      const { seq } = item.delivery;
      begun.add(seq);
      const next = await this.#next(item);
      if (next === undefined) await delivered(seq);
      else if (next !== item.delivery) changed.set(seq, next);
      if (next?.state !== 'RETRYING') return 'go-on';
      this.#blocked.add(this.#laneOf(next));
      return 'stop';
    };
    const stopped = () => this.#health.isClosedTo || this.#isLate(until);
    const lane = ({ delivery }: InHand) => this.#laneOf(delivery);
    const isFree = (item: InHand) => !begun.has(item.delivery.seq) && !this.#blocked.has(lane(item));
    // One at a time, until one gets through.
    await runLanes(items, lane, 1, work, () => stopped() || !this.#health.isDoubtful);
    await runLanes(items.filter(isFree), lane, POSTS_AT_ONCE, work, stopped);
    return changed;
  }

  /** @returns the delivery as it is after this try, or the same when there was none; undefined when it is done */
  async #next({ delivery, envelope: known }: InHand): Promise<SetAside | undefined> {
    const now = this.#deps.clock.now();
    if (delivery.dueAt > now) return delivery;
    const envelope = known ?? (await this.#eventOf(delivery));
    this.#hasBegun = true;
    if (envelope === undefined || now > delivery.giveUpAt) return givenUp(delivery);
    if (known === undefined) {
      if (this.#target.filter.matches !== undefined) await setImmediate();
      if (!this.#isWanted(envelope)) return undefined;
    }
    return await this.#post(envelope, delivery);
  }

  /** @returns what becomes of the delivery; undefined when it is done */
  async #post(envelope: EventEnvelope, delivery: SetAside): Promise<SetAside | undefined> {
    const { sender, clock, userAgent, random, logger } = this.#deps;
    const { row, webhook } = this.#target;
    const { headers, body } = deliveryRequest(envelope, webhook, userAgent, clock.now());
    const answer = await sender.post(webhook.url, headers, body);
    const now = clock.now();
    const outcome = deliveryOutcome(answer, now);
    const last = this.#health.note(outcome, envelope.id, now, delivery.last === undefined);
    const { at: _at, eventId: _id, ...fields } = last;
    const line = { ...eventFields(envelope), endpointId: row.endpointId, ...fields };
    if (outcome.kind === 'delivered') {
      logger.info(line, 'event delivered');
      return undefined;
    }
    logger.warn(line, 'event not delivered');
    return afterFailure(delivery, outcome, last, webhook.retries, random());
  }

  async #writeDown(deliveries: readonly SetAside[]): Promise<void> {
    const { store, queue, notices } = this.#deps;
    const { row } = this.#target;
    const { session, endpointId } = row;
    const now = this.#deps.clock.now();
    this.#health.noteGivenUp(deliveries.filter(({ state }) => state === 'FAILED').length);
    // The time of one may have come while others were tried: it needs a timer no less, and one that is not past.
    const due = deliveries.flatMap(({ state, dueAt }) => (state === 'RETRYING' ? [Math.max(dueAt, now + 1)] : []));
    const times = [...due, ...(this.#health.nextTryAt === undefined ? [] : [this.#health.nextTryAt])];
    const timers = new Set(times.map((time) => Math.ceil(time / TIMER_STEP_MS) * TIMER_STEP_MS));
    await Promise.all([...timers].map((dueAt) => queue.wakeAt({ session, endpointId, dueAt })));
    if (this.#health.isGone && (await this.#isAsItWas()))
      await notices.disabled({ session, endpointId, reason: 'gone', at: now });
    if (deliveries.length > 0) await store.setAside(row, deliveries);
    const cursor = this.#cursor === row.cursor ? undefined : { cursor: this.#cursor };
    const progress = this.#health.takeProgress();
    if (cursor !== undefined || progress !== undefined) await store.advance(row, { ...cursor, ...progress });
  }

  /** Whether nobody has enabled the endpoint, or made it anew, meanwhile. */
  async #isAsItWas(): Promise<boolean> {
    const { session, endpointId, addedAt, enabling } = this.#target.row;
    const row = await this.#deps.store.get(session, endpointId);
    return row !== undefined && row.addedAt === addedAt && row.enabling === enabling;
  }

  /** Undefined when the log does not have it any more. */
  async #eventOf({ seq }: SetAside): Promise<EventEnvelope | undefined> {
    const found = await this.#deps.log.read(this.#target.row.session, seq - 1, 1);
    return found.find(({ envelope }) => envelope.seq === seq)?.envelope;
  }

  #isWanted(envelope: EventEnvelope): boolean {
    const { webhook, filter } = this.#target;
    return wantsEvent(webhook, envelope.event) && passesFilter(filter, eventFacts(envelope));
  }

  /** Of a chat with one person, which is known by number or LID, the LID if it is known. */
  #laneOf({ seq, chatId = '', chatLid = chatId }: Pick<SetAside, 'seq' | 'chatId' | 'chatLid'>): string {
    return this.#target.webhook.ordered ? chatLid : String(seq);
  }

  #partOfTheRest(share: number): number {
    const now = this.#deps.clock.monotonic();
    return now + (this.#until - now) * share;
  }

  #isLate(until = this.#until): boolean {
    return this.#hasBegun && this.#deps.clock.monotonic() >= until;
  }
}

/** The highest `seq` below which everything was tried or passed over; what was not begun lies behind it. */
function lastTouched(page: readonly LoggedEvent[], firstUntouched: number, tried: readonly number[]): number {
  const highest = Math.max(0, ...tried);
  if (highest > firstUntouched) return highest;
  return page.findLast(({ envelope }) => envelope.seq < firstUntouched)?.envelope.seq ?? firstUntouched - 1;
}
