import { type Logger, tag } from '#shared/observability/logger.ts';
import { METRICS, type Metrics } from '#shared/observability/metrics.ts';
import type { OwnershipStore } from '#shared/ports/ownership-store.ts';
import type { FleetEvent } from './fleet-event.ts';
import { type PoolLoadDeps, poolLoad, readFleet } from './pool-load.ts';
import { type FleetPool, type ScalePoolDeps, scalePool } from './scale-pool.ts';

export interface CapacityDeps extends PoolLoadDeps, Omit<ScalePoolDeps, 'launcher'> {
  readonly ownership: Pick<OwnershipStore, 'hosts' | 'shards' | 'declareStopped'>;
  /** Undefined where the number of hosts is fixed: then only the dead are told. */
  readonly launcher: ScalePoolDeps['launcher'] | undefined;
  readonly pools: readonly FleetPool[];
  readonly metrics: Metrics;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

export interface Capacity {
  /** Marks the hosts dead whose tasks have stopped, so that the others need not wait for their silence. */
  bury(events: readonly FleetEvent[]): Promise<void>;
  /** Looks at the load of every pool and asks for the hosts that it takes. */
  scale(events: readonly FleetEvent[]): Promise<void>;
}

/** Decides how many hosts there are. What it does may be repeated, come late or be left out once. */
export function createCapacity(deps: CapacityDeps): Capacity {
  const { ownership, launcher, pools, clock, metrics, logger } = deps;
  return {
    async bury(events) {
      const stopped = new Map(
        events.flatMap((event) => (event.kind === 'task-stopped' ? [[event.task, event.at]] : [])),
      );
      if (stopped.size === 0) return;
      for (const { hostId, pool, task, state } of await ownership.hosts()) {
        const stoppedAt = task === undefined ? undefined : stopped.get(task);
        if (task === undefined || stoppedAt === undefined || state === 'DEAD') continue;
        if (!(await ownership.declareStopped(hostId, task))) continue;
        logger.warn(
          { peer: hostId, afterMs: clock.now() - stoppedAt },
          'the task of a host has stopped: declared dead',
        );
        metrics.emit({ Pool: pool }, [[METRICS.hostDeaths, 1]]);
      }
    },

    async scale(events) {
      if (launcher === undefined) return;
      const wanted = events.flatMap((event) => (event.kind === 'session-wanted' ? [event.session] : []));
      const fleet = await readFleet(ownership);
      for (const settings of pools) {
        const { pool, shards, limits } = settings;
        const hints = wanted.filter((session) => session.pool === pool);
        const { units, orphans } = await poolLoad(
          deps,
          fleet,
          pool,
          shards,
          hints.map(({ session }) => session),
        );
        const scaled = await scalePool({ ...deps, launcher }, settings, units);
        metrics.emit({ Pool: pool }, [
          [METRICS.hostsNeeded, scaled.needed],
          [METRICS.hostsWanted, scaled.wanted],
          [METRICS.hostsRunning, scaled.running],
          [METRICS.poolLoad, units],
          [METRICS.shardsWithoutHost, orphans],
        ]);
        const atLimit = scaled.needed === limits.maxHosts && units > limits.maxHosts * limits.unitsPerHost;
        if (atLimit) logger.warn({ pool, units, ...scaled }, 'the pool needs more hosts than it may have');
        if (scaled.wanted === scaled.before) continue;
        logger.info({ pool, units, orphans, ...scaled }, 'hosts asked for');
        const first = hints.toSorted((a, b) => a.at - b.at)[0];
        if (first === undefined || scaled.wanted < scaled.before) continue;
        const afterMs = Math.max(0, clock.now() - first.at);
        logger.info({ pool, session: tag(first.session), afterMs }, 'a session has waited for a host');
        metrics.emit({ Pool: pool }, [[METRICS.hostAskedAfter, afterMs]]);
      }
    },
  };
}
