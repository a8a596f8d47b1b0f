import * as z from 'zod';
import { resourceNamesEnv } from '#shared/contracts/resources.ts';
import { globalWebhookEnv } from '#shared/contracts/webhooks.ts';

/** Environment of the function. */
export const webhookFanoutEnvSchema = z.object({
  ...resourceNamesEnv,
  ...globalWebhookEnv,
  LOG_LEVEL: z.string().default('info'),
  /** Key of the tags that stand for ids in logs; the same for all functions and hosts. */
  LOG_HASH_KEY: z.string().min(1).optional(),
});
