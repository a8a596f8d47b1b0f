import { createHash } from 'node:crypto';
import type { HostRow, ShardRow } from '#shared/contracts/rows.ts';

export interface HeldShard {
  readonly shard: string;
  readonly sessions: number;
  /** A QR code is on show: moving the session would make it worthless. */
  readonly pairing: boolean;
  /** Is being handed over already. */
  readonly releasing: boolean;
}

export interface OwnershipFacts {
  readonly self: { readonly hostId: string; readonly pool: HostRow['pool'] };
  /** Read after the shards: an owner that is not among them is gone, not new. */
  readonly hosts: readonly HostRow[];
  /** Hosts that have been silent for so long that nothing should be planned for them. */
  readonly silent: ReadonlySet<string>;
  /** All shards of the pool. */
  readonly shards: readonly ShardRow[];
  readonly held: readonly HeldShard[];
  /** Shards that may be on their way out of this host at once. */
  readonly mostInMotion: number;
}

export interface OwnershipPlan {
  /** In the order in which to try. */
  readonly acquire: readonly ShardRow[];
  readonly handOver: readonly string[];
}

/** Decides what a host takes and gives away, so that the active hosts of a pool end up with equal shares. */
export function planOwnership(facts: OwnershipFacts): OwnershipPlan {
  const share = fairShare(facts);
  const staying = facts.held.filter((held) => !held.releasing);
  const releasing = facts.held.length - staying.length;
  const surplus = Math.min(staying.length - share, facts.mostInMotion - releasing);
  const handOver = staying
    .filter((held) => !held.pairing)
    .sort((a, b) => a.sessions - b.sessions || a.shard.localeCompare(b.shard))
    .slice(0, Math.max(0, surplus))
    .map((held) => held.shard);
  const mine = new Set(facts.held.map((held) => held.shard));
  const acquire = facts.shards
    .filter((shard) => !mine.has(shard.shard) && isUp(shard, facts))
    .map((shard) => ({ shard, rank: preference(facts.self.hostId, shard.shard) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, Math.max(0, share - staying.length))
    .map(({ shard }) => shard);
  return { acquire, handOver };
}

export function fairShare(facts: Pick<OwnershipFacts, 'self' | 'hosts' | 'silent' | 'shards'>): number {
  const others = facts.hosts.filter(
    (host) =>
      host.hostId !== facts.self.hostId &&
      host.pool === facts.self.pool &&
      host.state === 'ACTIVE' &&
      !facts.silent.has(host.hostId),
  );
  return Math.ceil(facts.shards.length / (others.length + 1));
}

/** A shard that may be taken: free, left by an earlier incarnation of this host, or its owner is dead or gone. */
function isUp(shard: ShardRow, facts: OwnershipFacts): boolean {
  if (shard.owner === null || shard.owner === facts.self.hostId) return true;
  const owner = facts.hosts.find((host) => host.hostId === shard.owner);
  return owner === undefined || owner.state === 'DEAD' || owner.incarnation !== shard.ownerIncarnation;
}

/** Differs from host to host, so that two hosts seldom reach for the same shard first. */
function preference(hostId: string, shard: string): string {
  return createHash('sha256').update(`${hostId}\0${shard}`).digest('hex');
}
