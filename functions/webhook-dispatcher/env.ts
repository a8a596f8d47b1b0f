import * as z from 'zod';
import { resourceNamesEnv } from '#shared/contracts/resources.ts';
import { allowedPrivateHostsEnv, globalWebhookEnv } from '#shared/contracts/webhooks.ts';

/** Environment of the function. */
export const webhookDispatcherEnvSchema = z.object({
  ...resourceNamesEnv,
  ...globalWebhookEnv,
  ...allowedPrivateHostsEnv,
  TRUNKLINE_VERSION: z.string().default('0.1.0'),
  /** The bucket in the path instead of the host name, for an S3 on one address. */
  S3_PATH_STYLE: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .default(false),
  METRICS: z.enum(['emf', 'off']).default('off'),
  LOG_LEVEL: z.string().default('info'),
  /** Key of the tags that stand for ids in logs; the same for all functions and hosts. */
  LOG_HASH_KEY: z.string().min(1).optional(),
});
