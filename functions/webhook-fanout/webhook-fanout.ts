import { type WebhookWake, webhookMessageSchema } from '#shared/contracts/webhook-rows.ts';
import { wantsEvent } from '#shared/contracts/webhooks.ts';
import type { EventSubject } from '#shared/observability/subjects.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { WebhookQueue } from '#shared/ports/webhook-queue.ts';
import type { SessionInterest } from './interest.ts';

export interface WebhookFanoutDeps {
  readonly interest: Pick<SessionInterest, 'endpoints'>;
  readonly queue: WebhookQueue;
  readonly clock: Pick<Clock, 'now'>;
}

type FanoutOutcome = ({ readonly status: 'done' } | { readonly status: 'failed'; readonly error: unknown }) & {
  /** Known when it could be read, and is no timer. */
  readonly event?: EventSubject;
};

/** A message of the queue; it has the same `id` whenever it is received. */
interface Message {
  readonly id: string;
  readonly body: string;
}

interface Wish {
  readonly wake: WebhookWake;
  /** All that asked for it. One that has asked before must not keep the others from being heard. */
  readonly causes: readonly string[];
  /** Messages of the batch that it is for. */
  readonly of: readonly number[];
}

/**
 * Wakes every endpoint that may care for what a batch brings, once each. Timers whose time has not come are set again.
 *
 * @returns one outcome for each message, in order
 */
export async function fanOut(
  messages: readonly Message[],
  { interest, queue, clock }: WebhookFanoutDeps,
): Promise<readonly FanoutOutcome[]> {
  const outcomes: FanoutOutcome[] = messages.map(() => ({ status: 'done' }));
  const wishes = new Map<string, Wish>();
  const wish = (index: number, wake: WebhookWake, cause: string) => {
    const id = `${wake.session}#${wake.endpointId}`;
    const known = wishes.get(id);
    const of = [...(known?.of ?? []), index];
    const causes = [...(known?.causes ?? []), cause];
    wishes.set(id, { wake: known === undefined || isNewer(wake, known.wake) ? wake : known.wake, causes, of });
  };
  const take = async ({ id: messageId, body }: Message, index: number): Promise<void> => {
    const message = webhookMessageSchema.parse(JSON.parse(body));
    if ('timer' in message) {
      const { session, endpointId, dueAt } = message.timer;
      if (dueAt > clock.now()) await queue.wakeAt(message.timer);
      else wish(index, { session, endpointId, dueAt }, messageId);
      return;
    }
    // A replay is for rules of the user's: the log has had these events all the time.
    if (message['replay-name'] !== undefined) return;
    const { id, session, seq, traceparent } = message.detail;
    outcomes[index] = { status: 'done', event: { id, session, event: message['detail-type'], traceparent } };
    const event = { id, ...(seq !== undefined && { seq }), ...(traceparent !== undefined && { traceparent }) };
    for (const { id: endpointId, webhook } of await interest.endpoints(session)) {
      if (!wantsEvent(webhook, message['detail-type'])) continue;
      wish(index, { session, endpointId, event }, id);
    }
  };
  const failed = (index: number, error: unknown) => {
    outcomes[index] = { ...outcomes[index], status: 'failed', error };
  };
  await Promise.all(
    messages.map((message, index) => take(message, index).catch((error: unknown) => failed(index, error))),
  );
  try {
    const wakes = [...wishes.values()].map(({ wake, causes }) => ({ wake, cause: causeOf(causes) }));
    if (wakes.length > 0) await queue.wake(wakes);
  } catch (error) {
    for (const { of } of wishes.values()) for (const index of of) failed(index, error);
  }
  return outcomes;
}

const causeOf = (causes: readonly string[]) => [...new Set(causes)].sort().join(' ');

/** What a wake-up without an event asks for includes what one with an event does. */
function isNewer({ event, dueAt = 0 }: WebhookWake, { event: known, dueAt: knownDueAt = 0 }: WebhookWake): boolean {
  if (known === undefined) return event === undefined && dueAt > knownDueAt;
  return event?.seq === undefined || (known.seq !== undefined && event.seq > known.seq);
}
