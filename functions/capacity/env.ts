import * as z from 'zod';
import { resourceNamesEnv, shardIds } from '#shared/contracts/resources.ts';
import { DEFAULT_HOST_LIMITS, SOCKET_UNITS_PER_HOST } from '#shared/domain/host-count.ts';
import type { FleetPool } from './scale-pool.ts';

const count = (least: number) => z.coerce.number().int().min(least).max(10_000);

/** Environment of the capacity function, wherever the hosts run. */
export const capacityEnvSchema = z.object({
  ...resourceNamesEnv,
  /** Shards of the socket pool. */
  SHARD_COUNT: z.coerce.number().int().min(1).max(4096).default(8),
  /** Units that a host of the socket pool carries: idle NOWEB sessions. */
  SOCKET_UNITS_PER_HOST: count(1).default(SOCKET_UNITS_PER_HOST),
  /** Hosts of a pool beyond what its load takes, while it has any. */
  WARM_SPARES: count(0).default(DEFAULT_HOST_LIMITS.warmSpares),
  /** Hosts of a pool that are kept even when no session is to run. */
  MIN_HOSTS: count(0).default(DEFAULT_HOST_LIMITS.minHosts),
  /** Hosts of a pool that are never exceeded. */
  MAX_HOSTS: count(0).default(DEFAULT_HOST_LIMITS.maxHosts),
  /** For how long hosts stay that are no longer needed: in any case longer than a host takes to tell of its load. */
  SCALE_IN_MINUTES: z.coerce
    .number()
    .min(0.05)
    .max(1_440)
    .default(DEFAULT_HOST_LIMITS.scaleInAfterMs / 60_000),
  METRICS: z.enum(['emf', 'off']).default('off'),
  LOG_LEVEL: z.string().default('info'),
  /** Key of the tags that stand for ids in logs; the same for all functions and hosts. */
  LOG_HASH_KEY: z.string().min(1).optional(),
});
type CapacityEnv = z.infer<typeof capacityEnvSchema>;

/** Where the hosts run in AWS. Without ECS_CLUSTER their number is not this function's. */
export const ecsEnvSchema = z.object({
  /** Name or ARN of the cluster. */
  ECS_CLUSTER: z.string().min(1),
  /** Name or ARN of the socket pool's service. */
  ECS_SOCKET_SERVICE: z.string().min(1),
});

/** The pools there are. */
export function fleetPools(env: CapacityEnv): readonly FleetPool[] {
  const limits = {
    warmSpares: env.WARM_SPARES,
    minHosts: env.MIN_HOSTS,
    maxHosts: env.MAX_HOSTS,
    scaleInAfterMs: env.SCALE_IN_MINUTES * 60_000,
  };
  const unitsPerHost = env.SOCKET_UNITS_PER_HOST;
  return [{ pool: 'socket', shards: shardIds('socket', env.SHARD_COUNT), limits: { ...limits, unitsPerHost } }];
}
