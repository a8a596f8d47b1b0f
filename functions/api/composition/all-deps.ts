import type { AwsClients } from '#shared/adapters/aws-clients.ts';
import type { ApiDeps } from '../deps.ts';
import { createApiBase } from './base.ts';
import { createEventLog } from './event-log.ts';
import { createMedia } from './media.ts';
import { createQueues } from './queues.ts';
import { createSignals } from './signals.ts';
import { createStores } from './stores.ts';
import { createWebhookChecks } from './webhook-checks.ts';

/**
 * The dependencies of all groups of operations over AWS, for a process that serves them all.
 *
 * @param environment the process's
 * @param clients where the process has them already
 */
export function createApiDeps(
  environment: Readonly<Record<string, string | undefined>>,
  clients?: Partial<AwsClients>,
): ApiDeps {
  const base = createApiBase(environment, clients);
  const { clock, logger, config } = base;
  const stores = createStores(base);
  const media = createMedia(base);
  return {
    ...stores,
    ...createQueues(base, stores),
    ...createSignals(base),
    ...media,
    ...createEventLog(base, media),
    ...createWebhookChecks(base),
    clock,
    logger,
    config,
  };
}
