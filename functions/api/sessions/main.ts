import { sessionsOperations } from '#shared/contracts/api/sessions.ts';
import { createApiBase } from '../composition/base.ts';
import { createQueues } from '../composition/queues.ts';
import { createSignals } from '../composition/signals.ts';
import { createStores } from '../composition/stores.ts';
import { createWebhookChecks } from '../composition/webhook-checks.ts';
import { createGroupFunction } from '../router.ts';
import { createSessionsHandlers } from './sessions-handlers.ts';

const base = createApiBase(process.env);
const stores = createStores(base);
const deps = {
  ...base,
  ...stores,
  ...createQueues(base, stores),
  ...createSignals(base),
  ...createWebhookChecks(base),
};

export const handler = createGroupFunction(sessionsOperations, createSessionsHandlers(deps), deps);
