import * as z from 'zod';
import { BUCKETS, TABLES } from '#shared/contracts/resources.ts';

/** Environment of the function. */
export const eventProjectorEnvSchema = z.object({
  MESSAGES_TABLE: z.string().default(TABLES.messages),
  CHATS_TABLE: z.string().default(TABLES.chats),
  MEDIA_BUCKET: z.string().default(BUCKETS.media),
  /** The bucket in the path instead of the host name, for an S3 on one address. */
  S3_PATH_STYLE: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .default(false),
  LOG_LEVEL: z.string().default('info'),
  /** Key of the tags that stand for ids in logs; the same for all functions and hosts. */
  LOG_TAG_KEY: z.string().optional(),
});
