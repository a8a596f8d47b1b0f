import type { WebhookDeliveryView } from '#shared/contracts/api/webhook-bodies.ts';
import type { webhooksOperations } from '#shared/contracts/api/webhooks.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { WebhookDeliveryRow } from '#shared/contracts/webhook-rows.ts';
import { type WebhookEndpoint, webhookEndpoints } from '#shared/contracts/webhooks.ts';
import { NotFoundError } from '#shared/domain/errors.ts';
import type { ApiDeps } from '../deps.ts';
import { json } from '../reply.ts';
import type { ApiHandlers } from '../request.ts';
import { findSession } from '../use-cases/find-session.ts';
import { replayEvents, replayRange } from '../use-cases/replay-webhook.ts';
import { webhookStates } from '../use-cases/webhook-states.ts';

type WebhooksDeps = Pick<
  ApiDeps,
  'sessions' | 'webhooks' | 'webhookQueue' | 'eventLog' | 'eventSeqs' | 'clock' | 'config'
>;

/** Webhooks of a session: how they are, what has not arrived, and doing it again. */
export function createWebhooksHandlers(deps: WebhooksDeps): ApiHandlers<typeof webhooksOperations> {
  const endpointOf = (row: SessionRow, id: string): WebhookEndpoint => {
    const endpoint = webhookEndpoints(row.config.webhooks, deps.config.globalWebhook).find((one) => one.id === id);
    if (endpoint === undefined) throw new NotFoundError(`The session has no webhook '${id}'`);
    return endpoint;
  };
  return {
    listWebhooks: async ({ operation, params }) =>
      json(await webhookStates(deps, await findSession(deps, operation, params.session))),

    listWebhookDeliveries: async ({ operation, params, query }) => {
      const { endpoint, state, limit, after } = query;
      const row = await findSession(deps, operation, params.session);
      const { id } = endpointOf(row, endpoint);
      const endpointRow = await deps.webhooks.get(row.name, id);
      if (endpointRow === undefined) return json([]);
      const wanted = { limit, after, ...(state !== undefined && { state }) };
      return json((await deps.webhooks.deliveries(endpointRow, wanted)).map(deliveryView));
    },

    replayWebhook: async ({ operation, params, body }) => {
      const row = await findSession(deps, operation, params.session);
      const endpoint = endpointOf(row, body.endpoint);
      if (body.events) return json(await replayEvents(deps, row.name, endpoint, body.events));
      const { from, to, after } = body;
      const range = { from: from ?? 0, to: to ?? Number.POSITIVE_INFINITY, after: after ?? undefined };
      return json(await replayRange(deps, row.name, endpoint, range));
    },
  };
}

function deliveryView(row: WebhookDeliveryRow): WebhookDeliveryView {
  return {
    seq: row.seq,
    state: row.state,
    eventId: row.eventId,
    event: row.event,
    chatId: row.chatId ?? null,
    loggedAt: row.loggedAt,
    attempts: row.attempts,
    nextTryAt: row.state === 'RETRYING' ? row.dueAt : null,
    last: row.last ?? null,
  };
}
