import * as z from 'zod';
import { resourceNamesEnv } from '#shared/contracts/resources.ts';

/** Environment of the functions of the event stream. */
export const eventStreamEnvSchema = z.object({
  ...resourceNamesEnv,
  /** The bucket in the path instead of the host name, for an S3 on one address. */
  S3_PATH_STYLE: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .default(false),
  /** Where connections take messages, where it is not what API Gateway says of them. */
  AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI: z.url().optional(),
  LOG_LEVEL: z.string().default('info'),
  /** Key of the tags that stand for ids in logs; the same for all functions and hosts. */
  LOG_HASH_KEY: z.string().min(1).optional(),
});
