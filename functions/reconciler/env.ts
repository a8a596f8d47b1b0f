import * as z from 'zod';
import { resourceNamesEnv, shardIds } from '#shared/contracts/resources.ts';
import type { WakePolicy } from './wake-policy.ts';
import { DEFAULT_WAKE_POLICY } from './wake-policy.ts';

const seconds = z.coerce.number().int().min(0).max(86_400);

/** Environment of the reconciler. */
export const reconcilerEnvSchema = z.object({
  ...resourceNamesEnv,
  /** Shards of the socket pool. */
  SHARD_COUNT: z.coerce.number().int().min(1).max(4096).default(8),
  /** How long an open send may be quiet before its message counts as lost. */
  RECONCILE_AFTER_SECONDS: seconds.default(DEFAULT_WAKE_POLICY.afterMs / 1000),
  /** How long a send that was woken is left alone; doubles each time. */
  RECONCILE_AGAIN_SECONDS: seconds.default(DEFAULT_WAKE_POLICY.againMs / 1000),
  METRICS: z.enum(['emf', 'off']).default('off'),
  LOG_LEVEL: z.string().default('info'),
  /** Key of the tags that stand for ids in logs; the same for all functions and hosts. */
  LOG_HASH_KEY: z.string().min(1).optional(),
});
export type ReconcilerEnv = z.infer<typeof reconcilerEnvSchema>;

export function reconcilerConfig(env: ReconcilerEnv): { shards: readonly string[]; policy: WakePolicy } {
  return {
    shards: shardIds('socket', env.SHARD_COUNT),
    policy: {
      ...DEFAULT_WAKE_POLICY,
      afterMs: env.RECONCILE_AFTER_SECONDS * 1000,
      againMs: env.RECONCILE_AGAIN_SECONDS * 1000,
    },
  };
}
