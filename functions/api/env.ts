import * as z from 'zod';
import { AUDIT_DAYS } from '#shared/contracts/audit.ts';
import { mediaHostsEnv } from '#shared/contracts/media-hosts.ts';
import { publicUrlSchema } from '#shared/contracts/public-url.ts';
import { resourceNamesEnv, shardIds } from '#shared/contracts/resources.ts';
import { engineNameSchema } from '#shared/contracts/session.ts';
import { allowedPrivateHostsEnv, globalWebhook, globalWebhookEnv } from '#shared/contracts/webhooks.ts';
import { type ApiConfig, DEFAULT_CAPS, DEFAULT_WAITS } from './deps.ts';

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const cap = z.coerce.number().int().min(1).max(1_000_000);
const milliseconds = z.coerce.number().int().min(0).max(25_000);

/** Environment of the API's functions. */
export const apiEnvSchema = z.object({
  ...resourceNamesEnv,
  ...globalWebhookEnv,
  ...allowedPrivateHostsEnv,
  ...mediaHostsEnv,
  TRUNKLINE_VERSION: z.string().default('0.1.0'),
  /** Engine of new sessions. */
  ENGINE: engineNameSchema.default('NOWEB'),
  /** Shards of the socket pool. */
  SHARD_COUNT: z.coerce.number().int().min(1).max(4096).default(8),
  /** The bucket in the path instead of the host name, for an S3 on one address. */
  S3_PATH_STYLE: flag.default(false),
  /** Address of the API for links in answers, where it cannot be told from the request. */
  PUBLIC_URL: publicUrlSchema.optional(),
  LOG_LEVEL: z.string().default('info'),
  /** Key of the tags that stand for ids in logs; the same for all functions and hosts. */
  LOG_HASH_KEY: z.string().min(1).optional(),
  OWNER_WAIT_MS: milliseconds.default(DEFAULT_WAITS.ownerWaitMs),
  STATE_WAIT_MS: milliseconds.default(DEFAULT_WAITS.stateWaitMs),
  COMMAND_WAIT_MS: milliseconds.default(DEFAULT_WAITS.commandWaitMs),
  /** Open jobs of a session from which on sends are answered 429. */
  SESSION_BACKLOG_CAP: cap.default(DEFAULT_CAPS.sessionBacklogCap),
  /** Messages on a shard's queue from which on everything is answered 503. */
  SHARD_BACKLOG_CAP: cap.default(DEFAULT_CAPS.shardBacklogCap),
  /** How long the audit log is kept. */
  AUDIT_DAYS: z.coerce.number().int().min(1).max(3650).default(AUDIT_DAYS),
});
export type ApiEnv = z.infer<typeof apiEnvSchema>;

export function apiConfig(env: ApiEnv, startedAt: number): ApiConfig {
  return {
    version: env.TRUNKLINE_VERSION,
    engine: env.ENGINE,
    shards: shardIds('socket', env.SHARD_COUNT),
    startedAt,
    publicUrl: env.PUBLIC_URL,
    ownerWaitMs: env.OWNER_WAIT_MS,
    stateWaitMs: env.STATE_WAIT_MS,
    commandWaitMs: env.COMMAND_WAIT_MS,
    sessionBacklogCap: env.SESSION_BACKLOG_CAP,
    shardBacklogCap: env.SHARD_BACKLOG_CAP,
    globalWebhook: globalWebhook(env),
    mediaPrivateHosts: new Set(env.MEDIA_ALLOW_PRIVATE_HOSTS),
    auditDays: env.AUDIT_DAYS,
  };
}
