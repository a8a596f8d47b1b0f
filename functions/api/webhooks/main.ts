import { webhooksOperations } from '#shared/contracts/api/webhooks.ts';
import { createAwsApiDeps } from '../aws-deps.ts';
import { createGroupFunction } from '../router.ts';
import { createWebhooksHandlers } from './webhooks-handlers.ts';

const deps = createAwsApiDeps(process.env);

export const handler = createGroupFunction(webhooksOperations, createWebhooksHandlers(deps), deps);
