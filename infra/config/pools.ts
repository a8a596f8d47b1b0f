import { type Pool, type ResourceNames, SESSION_UNITS } from '#shared/contracts/resources.ts';
import type { ImageAddress } from './image-address.ts';
import type { Settings } from './settings.ts';

/** The hosts of a pool: what they run, how large they are, and how many there may be. */
export interface HostPool {
  /** Also the target of the Dockerfile that makes their image. */
  readonly name: Pool;
  readonly service: string;
  readonly engines: readonly string[];
  readonly shards: number;
  readonly cpu: number;
  readonly memoryMiB: number;
  /** What a host carries, as `sessionWeight` counts. */
  readonly unitsPerHost: number;
  readonly maxHosts: number;
  /** @default built from this clone */
  readonly image: ImageAddress | undefined;
  /** Tasks that the template asks for. @default none are named: it is for the capacity function to say */
  readonly desiredCount?: number;
}

/** That of sockets first; the others there need not be. */
export type HostPools = readonly [socket: HostPool, ...others: readonly HostPool[]];

export function hostPools(settings: Settings, { prefix }: ResourceNames): HostPools {
  const { maxHosts } = settings;
  const pools: Readonly<Record<Pool, HostPool>> = {
    socket: {
      name: 'socket',
      service: `${prefix}-socket`,
      engines: ['NOWEB'],
      shards: settings.shards,
      cpu: settings.hostCpu,
      memoryMiB: settings.hostMemoryMiB,
      unitsPerHost: settings.sessionsPerHost * SESSION_UNITS.socket,
      maxHosts,
      image: settings.hostImage,
    },
    browser: {
      name: 'browser',
      service: `${prefix}-browser`,
      engines: ['WEBJS'],
      shards: settings.browserShards,
      cpu: settings.browserHostCpu,
      memoryMiB: settings.browserHostMemoryMiB,
      unitsPerHost: settings.browserSessionsPerHost * SESSION_UNITS.browser,
      // None means that another installation goes on with the sessions, whatever their engine is.
      maxHosts: maxHosts === 0 ? 0 : settings.maxBrowserHosts,
      image: settings.browserHostImage,
      // Where no number is named, ECS starts one task of a new service; before there is an engine it could only fail, and the stack with it.
      desiredCount: 0,
    },
  };
  return settings.pools === 'socket' ? [pools.socket] : [pools.socket, pools.browser];
}
