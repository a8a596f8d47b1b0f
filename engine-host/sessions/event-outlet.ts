import { chatOfEvent } from '#shared/contracts/event-chat.ts';
import { EVENT_SCHEMA_VERSION, type EventEnvelope } from '#shared/contracts/events.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { EngineName, Me } from '#shared/contracts/session.ts';
import { NotOwnerError } from '#shared/domain/errors.ts';
import { eventId } from '#shared/domain/event-id.ts';
import { type IgnoredKinds, isIgnoredChat } from '#shared/domain/ignored-chats.ts';
import { traceparentOf } from '#shared/domain/trace-context.ts';
import type { EngineEvent } from '../engines/engine.ts';
import { contentAt } from './event-content.ts';
import type { EventLane } from './event-publisher.ts';
import type { SeqCounter } from './seq-counter.ts';

/** The last millisecond of the year 9999. */
const LATEST_TIME = 253_402_300_799_999;

export interface EventOutletOptions {
  readonly session: Pick<SessionRow, 'name' | 'incarnation'>;
  readonly engine: EngineName;
  readonly version: string;
  readonly hostId: string;
  /** Address of the HTTP API, for links in events. */
  readonly publicUrl: string;
  readonly seqs: SeqCounter;
  /** Resolves when everything that has happened until now is durable: what an event comes with, and that its number is given. */
  readonly durable: () => Promise<void>;
  readonly lane: EventLane;
  /** Of the outlet before it: nothing leaves here before it has settled. */
  readonly after?: Promise<void>;
  /** As they are when the event happens. */
  readonly me: () => Me | null;
  readonly metadata: () => Readonly<Record<string, string>>;
  /** Kinds of chats that the session wants no events of. */
  readonly ignore: () => IgnoredKinds | null | undefined;
}

interface EmittedEvent {
  readonly envelope: EventEnvelope;
  readonly published: (() => void) | undefined;
  /** Resolves when the state that it comes with is durable. */
  readonly durable: Promise<void>;
}

/**
 * A session's way out for events: numbers them, puts the envelope around them, and passes them on in order, each only
 * when the state that it comes with is durable.
 */
export class EventOutlet {
  readonly #options: EventOutletOptions;
  #tail: Promise<void>;
  /** Emitted, and not yet waiting to be durable. */
  #turn: EmittedEvent[] | undefined;

  constructor(options: EventOutletOptions) {
    this.#options = options;
    this.#tail = options.after ?? Promise.resolve();
    this.#tail.catch(() => {});
  }

  /** @param published called once when the log and the bus have accepted the event, or nobody wants it */
  emit(event: EngineEvent, published?: () => void): void {
    const { ignore } = this.#options;
    const chat = chatOfEvent(event.body);
    if (chat !== undefined && isIgnoredChat(ignore(), chat)) {
      published?.();
      return;
    }
    const envelope = this.#envelope(event);
    const durable = this.#options.durable();
    durable.catch(() => {});
    const emitted = { envelope, published, durable };
    if (this.#turn !== undefined) {
      this.#turn.push(emitted);
      return;
    }
    const turn = [emitted];
    this.#turn = turn;
    this.#tail = this.#tail.then(() => this.#submit(turn));
    // Whoever drains gets the failure; without a drain the session is being fenced anyway.
    this.#tail.catch(() => {});
  }

  /** What was emitted at once, as `message` and `message.any`, goes to the bus at once: it is one call. */
  async #submit(turn: readonly EmittedEvent[]): Promise<void> {
    const { lane } = this.#options;
    this.#turn = undefined;
    await Promise.all(turn.map(({ durable }) => durable));
    for (const { envelope, published } of turn) lane.submit(envelope, published);
  }

  /** Resolves when the log and the bus have everything. @throws NotOwnerError when that can no longer happen */
  async drained(): Promise<void> {
    await this.#tail.catch((error: unknown) => {
      throw error instanceof NotOwnerError
        ? error
        : new NotOwnerError('Events could not be published', { cause: error });
    });
    await this.#options.lane.drained();
  }

  /** Nothing more will be emitted; what waits is still published. */
  close(): void {
    const { lane } = this.#options;
    void this.#tail.then(
      () => lane.close(),
      () => lane.close(),
    );
  }

  #envelope(event: EngineEvent): EventEnvelope {
    const { session, engine, version, hostId, publicUrl, me, metadata } = this.#options;
    const timestamp = possibleTime(event.timestamp);
    return {
      id: eventId(session, event.body.event, timestamp, event.key),
      timestamp,
      session: session.name,
      metadata: { ...metadata() },
      me: me(),
      engine,
      environment: {
        version,
        engine,
        tier: 'TRUNKLINE',
        browser: null,
        platform: `${process.platform}/${process.arch}`,
        worker: { id: hostId },
      },
      seq: this.#options.seqs.next(),
      schemaVersion: EVENT_SCHEMA_VERSION,
      // `message` and `message.any` are one happening, and have one key.
      traceparent: event.traceparent ?? traceparentOf(session.name, session.incarnation, event.key),
      ...contentAt(publicUrl, event.body),
    };
  }
}

/** What is no time would make the bus refuse the event, and all that are in one call with it, for good. */
function possibleTime(timestamp: number): number {
  return Number.isFinite(timestamp) ? Math.min(Math.max(0, timestamp), LATEST_TIME) : 0;
}
