import type { Pool } from '#shared/contracts/resources.ts';
import { ConflictError } from '#shared/domain/errors.ts';
import { decideHosts, type HostLimits, hostsNeeded } from '#shared/domain/host-count.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { FleetStore } from '#shared/ports/fleet-store.ts';
import type { HostLauncher } from '#shared/ports/host-launcher.ts';

/** A pool, its shards, and how many hosts it may have. */
export interface FleetPool {
  readonly pool: Pool;
  readonly shards: readonly string[];
  readonly limits: HostLimits;
}

export interface ScalePoolDeps {
  readonly fleets: FleetStore;
  readonly launcher: HostLauncher;
  readonly clock: Pick<Clock, 'now'>;
}

export interface Scaled {
  /** That the load takes now, spares included. */
  readonly needed: number;
  /** That there are to be from now on. */
  readonly wanted: number;
  /** That there were to be before. */
  readonly before: number;
  readonly running: number;
}

/** Several runs may meet; more than so many at once there never are. */
const ATTEMPTS = 8;

/**
 * Asks for as many hosts as the load takes. A decision is noted before it is carried out, so a later one knows of it.
 *
 * @throws ConflictError when other runs were faster again and again; DependencyError
 */
export async function scalePool(deps: ScalePoolDeps, { pool, limits }: FleetPool, units: number): Promise<Scaled> {
  const { fleets, launcher, clock } = deps;
  const needed = hostsNeeded(units, limits);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const now = clock.now();
    const [row, count] = await Promise.all([fleets.get(pool), launcher.count(pool)]);
    // Hosts that were there before the first decision are not taken away sooner than others.
    const before = row?.needs ?? [{ at: now, hosts: count.wanted }];
    const { hosts, needs } = decideHosts(before, { at: now, hosts: needed }, limits);
    const version = (row?.version ?? 0) + 1;
    if (!(await fleets.put({ pool, version, needs: [...needs] }))) continue;
    if (hosts !== count.wanted) await launcher.want(pool, hosts);
    return { needed, wanted: hosts, before: count.wanted, running: count.running };
  }
  throw new ConflictError(`Others decided about the pool ${pool} at the same time, again and again`);
}
