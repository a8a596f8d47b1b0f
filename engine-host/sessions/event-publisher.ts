import type { Logger } from 'pino';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import { NotOwnerError } from '#shared/domain/errors.ts';
import { eventFields } from '#shared/observability/subjects.ts';
import type { EventBus } from '#shared/ports/event-bus.ts';
import type { ShardLease } from '../host/lease.ts';
import { sleep } from '../host/sleep.ts';

const MOST_PER_CALL = 10;
const CALLS_AT_ONCE = 4;
/** Acks come in crowds and nobody waits for one: for so long they are gathered into one call. */
const LINGER_MS = 20;
const LONGEST_DELAY_MS = 10_000;
const FIRST_DELAY_MS = 100;
/** Number of waiting events from which on the log says so, again at each doubling. */
const CROWDED = 10_000;

/** A bus that works in steps, and asks before each which events are still this host's to tell. */
export interface OwnedEventBus {
  /** As `EventBus`; events that are no longer ours are not taken. */
  publish(events: readonly EventEnvelope[], isOurs: (index: number) => boolean): ReturnType<EventBus['publish']>;
}

/** The events of one session on their way to the bus. */
export interface EventLane {
  /**
   * Takes an event over; it stays until the bus has accepted it or the lease has ended.
   * @param published called once when the bus has accepted it
   */
  submit(envelope: EventEnvelope, published?: () => void): void;
  /** Resolves when nothing is waiting. @throws NotOwnerError when the lease ended before */
  drained(): Promise<void>;
  /** Nothing more will be submitted; what waits is still published. */
  close(): void;
}

/**
 * Publishes the events of all sessions of a host in common calls. A lane is in at most one call at a time, with its
 * oldest events in order, so order holds within a session unless the bus itself refuses single entries; `seq` tells.
 */
export class EventPublisher {
  readonly #bus: OwnedEventBus;
  readonly #logger: Logger;
  readonly #ready: Lane[] = [];
  #lingering: NodeJS.Timeout | undefined;
  #calls = 0;
  #waiting = 0;
  #warnAt = CROWDED;
  #published = 0;

  constructor(bus: OwnedEventBus, logger: Logger) {
    this.#bus = bus;
    this.#logger = logger;
  }

  /** Events that the bus has not accepted yet, and those that it has, since the start. */
  get figures(): { readonly waiting: number; readonly published: number } {
    return { waiting: this.#waiting, published: this.#published };
  }

  lane(lease: ShardLease): EventLane {
    const drop = () => this.#drop(lane);
    const lane = new Lane(lease, () => lease.ended.removeEventListener('abort', drop));
    lease.ended.addEventListener('abort', drop, { once: true });
    return {
      submit: (envelope, published) => {
        if (lease.ended.aborted) return;
        lane.queue.push({ envelope, published });
        this.#count(1);
        if (this.#lingering !== undefined && lane.busy && !isAck(envelope)) this.#pumpSoon();
        this.#offer(lane);
      },
      drained: () => lane.drained(),
      close: () => lane.close(),
    };
  }

  #offer(lane: Lane): void {
    if (lane.busy || lane.queue.length === 0) return;
    lane.busy = true;
    this.#ready.push(lane);
    // Not before the turn is over: what the same turn submits goes in the same call.
    queueMicrotask(() => this.#pumpSoon());
  }

  #pumpSoon(): void {
    if (this.#mayLinger()) {
      this.#lingering ??= setTimeout(() => {
        this.#lingering = undefined;
        this.#pump();
      }, LINGER_MS);
      return;
    }
    clearTimeout(this.#lingering);
    this.#lingering = undefined;
    this.#pump();
  }

  /** True when all that is ready are acks, and not enough of them for a call. */
  #mayLinger(): boolean {
    let acks = 0;
    for (const { queue } of this.#ready) {
      for (const { envelope } of queue) {
        acks += 1;
        if (!isAck(envelope) || acks >= MOST_PER_CALL) return false;
      }
    }
    return true;
  }

  #pump(): void {
    while (this.#calls < CALLS_AT_ONCE && this.#ready.length > 0) {
      const batch: { lane: Lane; events: readonly WaitingEvent[] }[] = [];
      for (let room = MOST_PER_CALL; room > 0; ) {
        const lane = this.#ready.shift();
        if (lane === undefined) break;
        const events = lane.queue.slice(0, room);
        room -= events.length;
        if (events.length > 0) batch.push({ lane, events });
      }
      if (batch.length === 0) return;
      this.#calls += 1;
      void this.#publish(batch).finally(() => {
        this.#calls -= 1;
        if (this.#ready.length > 0) this.#pumpSoon();
      });
    }
  }

  async #publish(batch: readonly { lane: Lane; events: readonly WaitingEvent[] }[]): Promise<void> {
    const owned = batch.filter(({ lane }) => mayPublish(lane));
    const entries = owned.flatMap(({ lane, events }) => events.map((event) => ({ lane, event })));
    let refused: ReadonlySet<number>;
    try {
      refused =
        entries.length === 0
          ? new Set()
          : new Set(
              await this.#bus.publish(
                entries.map(({ event }) => event.envelope),
                (index) => entries[index] !== undefined && mayPublish(entries[index].lane),
              ),
            );
    } catch (error) {
      this.#logger.warn({ err: error, events: entries.length }, 'the bus did not take a call');
      refused = new Set(entries.keys());
    }
    const accepted = new Set(entries.filter((_, index) => !refused.has(index)).map(({ event }) => event));
    for (const { lane } of batch) {
      const before = lane.queue.length;
      lane.queue = lane.queue.filter((event) => !accepted.has(event));
      this.#count(lane.queue.length - before);
      this.#published += before - lane.queue.length;
      const failed = entries.some((entry, index) => entry.lane === lane && refused.has(index));
      void this.#release(lane, failed);
    }
    for (const { envelope, published } of accepted) {
      if (this.#logger.isLevelEnabled('debug')) this.#logger.debug(eventFields(envelope), 'event published');
      published?.();
    }
  }

  /** Lets a lane take part again: at once after a success, else after a growing pause and not while suspended. */
  async #release(lane: Lane, failed: boolean): Promise<void> {
    lane.failures = failed ? lane.failures + 1 : 0;
    if (failed) {
      const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(lane.failures - 1, 10));
      await sleep(delay, lane.lease.ended);
    }
    await lane.lease.usable().catch(() => this.#drop(lane));
    lane.busy = false;
    lane.settle();
    this.#offer(lane);
  }

  #drop(lane: Lane): void {
    this.#count(-lane.queue.length);
    lane.queue = [];
    lane.settle();
  }

  #count(change: number): void {
    this.#waiting += change;
    if (this.#waiting < CROWDED) this.#warnAt = CROWDED;
    if (this.#waiting < this.#warnAt) return;
    this.#logger.warn({ waiting: this.#waiting }, 'many events wait for the bus');
    this.#warnAt *= 2;
  }
}

interface WaitingEvent {
  readonly envelope: EventEnvelope;
  readonly published: (() => void) | undefined;
}

class Lane {
  readonly lease: ShardLease;
  queue: WaitingEvent[] = [];
  busy = false;
  failures = 0;
  #idle: PromiseWithResolvers<void> | undefined;
  #closed = false;
  readonly #dispose: () => void;

  /** @param dispose called when it is closed and empty */
  constructor(lease: ShardLease, dispose: () => void) {
    this.lease = lease;
    this.#dispose = dispose;
  }

  close(): void {
    this.#closed = true;
    this.settle();
  }

  async drained(): Promise<void> {
    if (this.queue.length > 0 && !this.lease.ended.aborted) {
      this.#idle ??= Promise.withResolvers<void>();
      await this.#idle.promise;
    }
    if (this.lease.ended.aborted) throw new NotOwnerError('The lease ended before all events were published');
  }

  settle(): void {
    if (this.queue.length > 0) return;
    this.#idle?.resolve();
    this.#idle = undefined;
    if (this.#closed) this.#dispose();
  }
}

function isAck({ event }: EventEnvelope): boolean {
  return event === 'message.ack' || event === 'message.ack.group';
}

function mayPublish(lane: Lane): boolean {
  try {
    lane.lease.assertOwned();
    return true;
  } catch (error) {
    if (error instanceof NotOwnerError) return false;
    throw error;
  }
}
