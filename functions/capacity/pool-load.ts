import PQueue from 'p-queue';
import type { HostRow, SessionRow, ShardRow } from '#shared/contracts/rows.ts';
import { needsRunner } from '#shared/domain/needs-runner.ts';
import { sessionWeight } from '#shared/domain/session-weight.ts';
import type { OwnershipStore } from '#shared/ports/ownership-store.ts';
import type { SessionStore } from '#shared/ports/session-store.ts';

export interface PoolLoadDeps {
  readonly sessions: Pick<SessionStore, 'get' | 'listByShard'>;
}

/** Hosts and shards of all pools, the shards read first: an owner that is not among the hosts is gone, not new. */
export interface Fleet {
  readonly shards: ReadonlyMap<string, ShardRow>;
  readonly hosts: ReadonlyMap<string, HostRow>;
}

export interface PoolLoad {
  /** What all sessions weigh that a host has or should have something to do for. */
  readonly units: number;
  /** Shards that nobody runs. */
  readonly orphans: number;
}

const QUERIES_AT_ONCE = 16;

export async function readFleet(ownership: Pick<OwnershipStore, 'hosts' | 'shards'>): Promise<Fleet> {
  const shards = await ownership.shards();
  const hosts = await ownership.hosts();
  return {
    shards: new Map(shards.map((row) => [row.shard, row])),
    hosts: new Map(hosts.map((row) => [row.hostId, row])),
  };
}

/**
 * The load of a pool. What hosts have they say themselves; only shards that nobody runs are looked into. So it costs a
 * reading for each host and shard, whatever the number of sessions.
 *
 * @param hints names of sessions that were wanted just now: the index may not have them yet
 */
export async function poolLoad(
  { sessions }: PoolLoadDeps,
  fleet: Fleet,
  pool: HostRow['pool'],
  shards: readonly string[],
  hints: readonly string[],
): Promise<PoolLoad> {
  const alive = [...fleet.hosts.values()].filter((host) => host.pool === pool && host.state !== 'DEAD');
  const carried = alive.reduce((sum, host) => sum + host.load, 0);
  const orphans = new Set(shards.filter((shard) => !hasOwner(shard, fleet)));
  if (orphans.size === 0) return { units: carried, orphans: 0 };

  const weights = new Map<string, number>();
  const note = (row: SessionRow | undefined) => {
    if (row !== undefined && orphans.has(row.shard) && needsRunner(row))
      weights.set(row.name, sessionWeight(row.engine));
  };
  const queries = new PQueue({ concurrency: QUERIES_AT_ONCE });
  await Promise.all([
    ...[...orphans].map((shard) => queries.add(async () => (await sessions.listByShard(shard)).forEach(note))),
    ...[...new Set(hints)].map((name) => queries.add(async () => note(await sessions.get(name)))),
  ]);
  const waiting = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  return { units: carried + waiting, orphans: orphans.size };
}

function hasOwner(shard: string, { shards, hosts }: Fleet): boolean {
  const row = shards.get(shard);
  if (row === undefined || row.owner === null) return false;
  const owner = hosts.get(row.owner);
  return owner !== undefined && owner.state !== 'DEAD' && owner.incarnation === row.ownerIncarnation;
}
