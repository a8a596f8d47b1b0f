import type { EventEnvelope } from '#shared/contracts/events.ts';
import { DISTRUST_REASONS } from '#shared/contracts/session.ts';
import { ACKS } from '#shared/domain/message-ack.ts';
import type { EventBus } from '#shared/ports/event-bus.ts';

const DISTRUST: ReadonlySet<unknown> = new Set(DISTRUST_REASONS);

/** What the bus has accepted since the counts were last taken. */
export interface EventCounts {
  messagesIn: number;
  messagesOut: number;
  sendFailures: number;
  sessionStarts: number;
  sessionFailures: number;
  sessionsDistrusting: number;
}

const nothing = (): EventCounts => ({
  messagesIn: 0,
  messagesOut: 0,
  sendFailures: 0,
  sessionStarts: 0,
  sessionFailures: 0,
  sessionsDistrusting: 0,
});

/** A bus that counts what passes: all that happens to sessions becomes an event, and counts when the world can see it. */
export class MeteredEventBus implements EventBus {
  readonly #bus: EventBus;
  #counts = nothing();

  constructor(bus: EventBus) {
    this.#bus = bus;
  }

  async publish(events: readonly EventEnvelope[]): Promise<readonly number[]> {
    const failed = await this.#bus.publish(events);
    const refused = new Set(failed);
    for (const [index, event] of events.entries()) if (!refused.has(index)) count(this.#counts, event);
    return failed;
  }

  /** The counts so far; they begin again at 0. */
  take(): EventCounts {
    const counts = this.#counts;
    this.#counts = nothing();
    return counts;
  }
}

function count(counts: EventCounts, envelope: EventEnvelope): void {
  switch (envelope.event) {
    case 'message':
      counts.messagesIn += 1;
      break;
    case 'message.any':
      if (envelope.payload.fromMe && envelope.payload.source === 'api') counts.messagesOut += 1;
      break;
    case 'message.ack':
    case 'message.ack.group':
      if (envelope.payload.ack === ACKS.ERROR) counts.sendFailures += 1;
      break;
    case 'session.status':
      if (envelope.payload.status === 'STARTING') counts.sessionStarts += 1;
      if (envelope.payload.status === 'FAILED') counts.sessionFailures += 1;
      if (DISTRUST.has(envelope.payload.data?.reason)) counts.sessionsDistrusting += 1;
      break;
    default:
  }
}
