import type { WebhookState } from '#shared/contracts/api/webhook-bodies.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { WebhookEndpointRow } from '#shared/contracts/webhook-rows.ts';
import { type WebhookEndpoint, webhookEndpoints } from '#shared/contracts/webhooks.ts';
import type { ApiDeps } from '../deps.ts';

/** A session's webhooks as clients see them, in the order of its configuration. */
export async function webhookStates(
  { webhooks, clock, config }: Pick<ApiDeps, 'webhooks' | 'clock' | 'config'>,
  session: SessionRow,
): Promise<readonly WebhookState[]> {
  const endpoints = webhookEndpoints(session.config.webhooks, config.globalWebhook);
  if (endpoints.length === 0) return [];
  const rows = new Map((await webhooks.list(session.name)).map((row) => [row.endpointId, row]));
  return endpoints.map((endpoint) => stateOf(endpoint, rows.get(endpoint.id), clock.now()));
}

function stateOf({ id, webhook, isGlobal }: WebhookEndpoint, row: WebhookEndpointRow | undefined, now: number) {
  const isPaused = row?.nextTryAt !== undefined && row.nextTryAt > now;
  const state: WebhookState = {
    id,
    url: isGlobal ? null : webhook.url,
    events: webhook.events,
    state: row?.disabledAt !== undefined ? 'DISABLED' : isPaused ? 'PAUSED' : 'ACTIVE',
    disabledReason: row?.disabledReason ?? null,
    disabledAt: row?.disabledAt ?? null,
    nextTryAt: (isPaused ? row?.nextTryAt : undefined) ?? null,
    failures: row?.failures ?? 0,
    delivered: row?.delivered ?? 0,
    failed: row?.failed ?? 0,
    last: row?.last ?? null,
  };
  return state;
}
