import * as z from 'zod';
import { resourceNamesEnv, shardIds } from '#shared/contracts/resources.ts';
import { DEFAULT_HOST_LIMITS, UNITS_PER_HOST } from '#shared/domain/host-count.ts';
import type { FleetPool } from './scale-pool.ts';

const count = (least: number) => z.coerce.number().int().min(least).max(10_000);
const shards = (least: number) => z.coerce.number().int().min(least).max(4096);

/** Environment of the capacity function, wherever the hosts run. */
export const capacityEnvSchema = z.object({
  ...resourceNamesEnv,
  /** Shards of the socket pool. */
  SHARD_COUNT: shards(1).default(8),
  /** Shards of the browser pool; 0: there is none. */
  BROWSER_SHARD_COUNT: shards(0).default(0),
  /** Units that a host of the socket pool carries: idle NOWEB sessions. */
  SOCKET_UNITS_PER_HOST: count(1).default(UNITS_PER_HOST.socket),
  /** The same of the browser pool; a WEBJS session is 200 units. */
  BROWSER_UNITS_PER_HOST: count(1).default(UNITS_PER_HOST.browser),
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
  /** Name or ARN of the browser pool's service, where there is one. */
  ECS_BROWSER_SERVICE: z.string().min(1).optional(),
});

/** The pools there are. */
export function fleetPools(env: CapacityEnv): readonly FleetPool[] {
  const limits = {
    warmSpares: env.WARM_SPARES,
    minHosts: env.MIN_HOSTS,
    maxHosts: env.MAX_HOSTS,
    scaleInAfterMs: env.SCALE_IN_MINUTES * 60_000,
  };
  const pools: readonly FleetPool[] = [
    {
      pool: 'socket',
      shards: shardIds('socket', env.SHARD_COUNT),
      limits: { ...limits, unitsPerHost: env.SOCKET_UNITS_PER_HOST },
    },
    {
      pool: 'browser',
      shards: shardIds('browser', env.BROWSER_SHARD_COUNT),
      limits: { ...limits, unitsPerHost: env.BROWSER_UNITS_PER_HOST },
    },
  ];
  return pools.filter(({ shards }) => shards.length > 0);
}
