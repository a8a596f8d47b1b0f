import type { EventEnvelope } from '#shared/contracts/events.ts';
import type { LastDelivery, WebhookDeliveryRow } from '#shared/contracts/webhook-rows.ts';
import type { WebhookConfig } from '#shared/contracts/webhooks.ts';
import type { EventFacts } from '#shared/domain/webhook-filter.ts';
import type { DeliveryOutcome } from '#shared/domain/webhook-outcome.ts';
import { permanentRetryDelayMs, retryDelayMs, WEBHOOK_WINDOW_MS } from '#shared/domain/webhook-schedule.ts';

/** For as long deliveries that have failed can be listed: as the log keeps events, by default. */
const KEPT_MS = 14 * 86_400_000;

export type SetAside = Omit<WebhookDeliveryRow, 'endpoint'>;

/** An event of the log that was not tried yet, as if it had been set aside. */
export function untried(
  envelope: EventEnvelope,
  loggedAt: number,
  { chatId, chatLid }: Pick<EventFacts, 'chatId' | 'chatLid'>,
  now: number,
): SetAside {
  return {
    seq: envelope.seq,
    state: 'RETRYING',
    eventId: envelope.id,
    event: envelope.event,
    ...(chatId !== undefined && { chatId }),
    ...(chatLid !== undefined && { chatLid }),
    loggedAt,
    attempts: 0,
    giveUpAt: loggedAt + WEBHOOK_WINDOW_MS,
    dueAt: now,
    ttl: Math.ceil((Math.max(now, loggedAt) + KEPT_MS) / 1000),
  };
}

/** A delivery that gets no further try. */
export function givenUp(delivery: SetAside): SetAside {
  return { ...delivery, state: 'FAILED' };
}

/**
 * What becomes of a delivery whose try has failed.
 *
 * @param last the try, for people to read
 */
export function afterFailure(
  delivery: SetAside,
  outcome: Exclude<DeliveryOutcome, { kind: 'delivered' }>,
  last: LastDelivery,
  retries: WebhookConfig['retries'],
  random: number,
): SetAside {
  const attempts = outcome.kind === 'rate-limited' ? delivery.attempts : delivery.attempts + 1;
  const tried = { ...delivery, attempts, last };
  const delay = nextDelayMs(outcome, attempts, retries, random);
  if (delay === undefined || last.at + delay > delivery.giveUpAt) return givenUp(tried);
  return { ...tried, dueAt: last.at + delay };
}

function nextDelayMs(
  outcome: Exclude<DeliveryOutcome, { kind: 'delivered' }>,
  attempts: number,
  retries: WebhookConfig['retries'],
  random: number,
): number | undefined {
  switch (outcome.kind) {
    case 'rate-limited':
      return outcome.waitMs;
    case 'permanent':
      return permanentRetryDelayMs(retries, attempts, random);
    // Whoever writes the configuration again has it tried again.
    case 'gone':
    case 'transient':
      return retryDelayMs(retries, attempts, random);
  }
}
