import type { SessionConfig } from '#shared/contracts/session.ts';
import { webhookEndpoints } from '#shared/contracts/webhooks.ts';
import type { ApiDeps } from '../deps.ts';

type Deps = Pick<ApiDeps, 'webhooks' | 'webhookQueue' | 'eventSeqs' | 'clock' | 'config'>;

/** Longer than the fan-out may go on with the old configuration. */
const LOOK_AFTER_MS = 3_000;

/**
 * Makes the rows of a session's endpoints that have none. What happens from now on is for them, whenever the
 * configuration that names them is written.
 *
 * @param after events up to this `seq` are not for them @default the newest there is
 */
export async function declareWebhooks(
  deps: Deps,
  session: string,
  { webhooks }: SessionConfig,
  after?: number,
): Promise<void> {
  const endpoints = webhookEndpoints(webhooks, deps.config.globalWebhook);
  if (endpoints.length === 0) return;
  const cursor = after ?? (await deps.eventSeqs.lastBefore(session, Number.POSITIVE_INFINITY));
  await Promise.all(endpoints.map(({ id }) => deps.webhooks.declare(session, id, deps.clock.now(), cursor)));
}

/**
 * After a session's configuration was replaced: endpoints that are not in it any more are forgotten, all others are
 * tried again, also those that were disabled.
 */
export async function renewWebhooks(deps: Deps, session: string, { webhooks }: SessionConfig): Promise<void> {
  const wanted = new Set(webhookEndpoints(webhooks, deps.config.globalWebhook).map(({ id }) => id));
  const dueAt = deps.clock.now() + LOOK_AFTER_MS;
  const rows = await deps.webhooks.list(session);
  await Promise.all(
    rows.map(async (row) => {
      const { endpointId } = row;
      if (!wanted.has(endpointId)) return await deps.webhooks.remove(row);
      await deps.webhooks.enable(session, endpointId);
      await deps.webhookQueue.wakeAt({ session, endpointId, dueAt });
    }),
  );
}
