import { createHash } from 'node:crypto';
import type { HostRow, ShardRow } from '#shared/contracts/rows.ts';

export interface HeldShard {
  readonly shard: string;
  /** Weight of its sessions; undefined while they have not been listed. */
  readonly load: number | undefined;
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
  /** Shards that this host has handed over a moment ago, see `HandedOver`. */
  readonly settling: ReadonlySet<string>;
  /** Shards that may be on their way out of this host at once, those that settle included. */
  readonly mostInMotion: number;
}

export interface OwnershipPlan {
  /** In the order in which to try. */
  readonly acquire: readonly ShardRow[];
  readonly handOver: readonly string[];
}

/** What a shard costs besides its sessions: a long poll, a listing. It also spreads empty shards evenly. */
const SHARD_WEIGHT = 1;
/** Above the mean by this much a host begins to give sessions away. */
const TOLERANCE = 1.1;
/** So many times a shard's weight its owner must be heavier than the lightest host. At 1 the two would only change places. */
const ADVANTAGE = 1.5;
/** Sums of weights are not exact. */
const ROUNDING = 1e-9;

/**
 * Decides what a host takes and gives away, so that the active hosts of a pool end up with about equal loads. Nobody
 * assigns: each host looks at itself, and at the others as their rows tell. It takes what is up while it is below the
 * mean. It gives away what makes the heavier of the two lighter, empty shards first, as long as it is above the mean.
 */
export function planOwnership(facts: OwnershipFacts): OwnershipPlan {
  const fleet = weigh(facts);
  return { acquire: planAcquisitions(facts, fleet), handOver: planHandOvers(facts, fleet) };
}

interface Fleet {
  /** Of this host, without what it is handing over. */
  readonly own: number;
  /** Lightest of the other active hosts; undefined when there is none. */
  readonly lightest: number | undefined;
  readonly mean: number;
  /** What a shard of unknown load probably weighs. */
  readonly typical: number;
}

function weigh({ self, hosts, silent, shards, held }: OwnershipFacts): Fleet {
  const peers = hosts.filter((host) => host.pool === self.pool && host.hostId !== self.hostId);
  const mine = new Set(held.map(({ shard }) => shard));
  const owned = new Map<string, number>();
  for (const { shard, owner } of shards) {
    if (owner !== null && !mine.has(shard)) owned.set(owner, (owned.get(owner) ?? 0) + 1);
  }
  const known = held.flatMap(({ load }) => (load === undefined ? [] : [load]));
  const carriers = peers.filter(({ hostId }) => owned.has(hostId));
  const listed = known.length + carriers.reduce((count, { hostId }) => count + (owned.get(hostId) ?? 0), 0);
  const sessions = sum(known) + sum(carriers.map(({ load }) => load));
  const typical = SHARD_WEIGHT + (listed === 0 ? 0 : sessions / listed);
  const active = peers.filter((host) => host.state === 'ACTIVE' && !silent.has(host.hostId));
  const loads = active.map(({ hostId, load }) => load + SHARD_WEIGHT * (owned.get(hostId) ?? 0));
  return {
    own: sum(held.filter(({ releasing }) => !releasing).map((shard) => weightOf(shard, typical))),
    lightest: loads.length === 0 ? undefined : Math.min(...loads),
    mean: (typical * shards.length) / (active.length + 1),
    typical,
  };
}

function planAcquisitions(facts: OwnershipFacts, { own, lightest, mean, typical }: Fleet): readonly ShardRow[] {
  const mine = new Set(facts.held.map((held) => held.shard));
  const room = (mean - own) / typical - ROUNDING;
  // Where there is room for half a shard in several places, it is the lightest's.
  const places = lightest === undefined || own <= lightest ? Math.ceil(room) : Math.round(room);
  return facts.shards
    .filter((shard) => !mine.has(shard.shard) && !facts.settling.has(shard.shard) && isUp(shard, facts))
    .map((shard) => ({ shard, rank: preference(facts.self.hostId, shard.shard) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, Math.max(0, places))
    .map(({ shard }) => shard);
}

function planHandOvers(facts: OwnershipFacts, { own, lightest, mean, typical }: Fleet): readonly string[] {
  if (lightest === undefined) return [];
  const { held, settling, mostInMotion } = facts;
  const releasing = held.filter((shard) => shard.releasing);
  const candidates = held
    .filter((shard) => !shard.releasing && !shard.pairing && shard.load !== undefined)
    .sort((a, b) => weightOf(a, typical) - weightOf(b, typical) || a.shard.localeCompare(b.shard));
  const chosen: string[] = [];
  let [mineThen, theirsThen] = [own, lightest];
  let motion = releasing.length + settling.size;
  for (const shard of candidates) {
    const weight = weightOf(shard, typical);
    const isIdle = shard.load === 0;
    const isTooHeavy = mineThen > (isIdle ? mean : mean * TOLERANCE);
    if (!isTooHeavy || mineThen - theirsThen <= ADVANTAGE * weight || motion >= mostInMotion) break;
    chosen.push(shard.shard);
    mineThen -= weight;
    theirsThen += weight;
    motion += 1;
  }
  return chosen;
}

function weightOf({ load }: HeldShard, typical: number): number {
  return load === undefined ? typical : SHARD_WEIGHT + load;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
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
