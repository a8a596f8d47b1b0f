import { webhooksOperations } from '#shared/contracts/api/webhooks.ts';
import { createApiBase } from '../composition/base.ts';
import { createEventLog } from '../composition/event-log.ts';
import { createMedia } from '../composition/media.ts';
import { createQueues } from '../composition/queues.ts';
import { createStores } from '../composition/stores.ts';
import { createGroupFunction } from '../router.ts';
import { createWebhooksHandlers } from './webhooks-handlers.ts';

const base = createApiBase(process.env);
const stores = createStores(base);
const media = createMedia(base);
const deps = { ...base, ...stores, ...createQueues(base, stores), ...media, ...createEventLog(base, media) };

export const handler = createGroupFunction(webhooksOperations, createWebhooksHandlers(deps), deps);
