import * as z from 'zod';
import { resourceNamesEnv, shardIds } from '#shared/contracts/resources.ts';
import { BROWSER_UNITS_PER_HOST, DEFAULT_HOST_LIMITS, SOCKET_UNITS_PER_HOST } from '#shared/domain/host-count.ts';
import type { FleetPool } from './scale-pool.ts';

const count = (least: number) => z.coerce.number().int().min(least).max(10_000);

/** Environment of the capacity function, wherever the hosts run. */
export const capacityEnvSchema = z.object({
  ...resourceNamesEnv,
  /** Shards of the socket pool. */
  SHARD_COUNT: z.coerce.number().int().min(1).max(4096).default(8),
  /** Units that a host of the socket pool carries: idle NOWEB sessions. */
  SOCKET_UNITS_PER_HOST: count(1).default(SOCKET_UNITS_PER_HOST),
  /** Shards of the browser pool. Without any there is no such pool. */
  BROWSER_SHARD_COUNT: z.coerce.number().int().min(0).max(4096).default(0),
  /** Units that a host of the browser pool carries. */
  BROWSER_UNITS_PER_HOST: z.coerce.number().int().min(1).max(1_000_000).default(BROWSER_UNITS_PER_HOST),
  /** Hosts of a pool beyond what its load takes, while it has any. */
  WARM_SPARES: count(0).default(DEFAULT_HOST_LIMITS.warmSpares),
  /** Hosts of a pool that are kept even when no session is to run. */
  MIN_HOSTS: count(0).default(DEFAULT_HOST_LIMITS.minHosts),
  /** Hosts that are never exceeded, in the pool of sockets and in that of browsers. */
  MAX_HOSTS: count(0).default(DEFAULT_HOST_LIMITS.maxHosts),
  MAX_BROWSER_HOSTS: count(0).default(DEFAULT_HOST_LIMITS.maxHosts),
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
  /** Of the browser pool's, where there is one. */
  ECS_BROWSER_SERVICE: z.string().min(1).optional(),
});

/** The pools there are. */
export function fleetPools(env: CapacityEnv): readonly FleetPool[] {
  const limits = {
    warmSpares: env.WARM_SPARES,
    minHosts: env.MIN_HOSTS,
    scaleInAfterMs: env.SCALE_IN_MINUTES * 60_000,
  };
  const socket: FleetPool = {
    pool: 'socket',
    shards: shardIds('socket', env.SHARD_COUNT),
    limits: { ...limits, unitsPerHost: env.SOCKET_UNITS_PER_HOST, maxHosts: env.MAX_HOSTS },
  };
  const browser: FleetPool = {
    pool: 'browser',
    shards: shardIds('browser', env.BROWSER_SHARD_COUNT),
    limits: { ...limits, unitsPerHost: env.BROWSER_UNITS_PER_HOST, maxHosts: env.MAX_BROWSER_HOSTS },
  };
  return browser.shards.length > 0 ? [socket, browser] : [socket];
}
