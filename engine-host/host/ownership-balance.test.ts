import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostRow, ShardRow } from '#shared/contracts/rows.ts';
import { HandedOver } from './handed-over.ts';
import { planOwnership } from './ownership-plan.ts';

const HEARTBEAT_LOOKS = 2;
const SETTLE_LOOKS = 5;
/** Every host looks so often; what moves needs a few of them. */
const MOST_ROUNDS = 400;

interface World {
  readonly hosts: number;
  /** By shard: the weight of its sessions. */
  readonly loads: readonly number[];
  /** By shard: who has it at first. Beyond the last host: a host that is gone. */
  readonly owners: readonly number[];
}

/** Hosts that look in turn at rows of which those of other hosts are up to a heartbeat old. One look is a unit of time. */
class Fleet {
  readonly owner: (string | null)[];
  /** Shards with sessions that changed their owner, and how often. */
  readonly moves = new Map<number, number>();
  readonly #loads: readonly number[];
  readonly #rows: HostRow[];
  readonly #handedOver: readonly HandedOver[];
  #round = 0;

  constructor({ hosts, loads, owners }: World) {
    this.#loads = loads;
    this.owner = loads.map((_, index) => `h${owners[index] ?? 0}`);
    this.#rows = Array.from({ length: hosts }, (_, index) => ({
      hostId: `h${index}`,
      incarnation: `h${index}-1`,
      pool: 'socket',
      rvn: 1,
      state: 'ACTIVE',
      load: 0,
      startedAt: 0,
      ttl: 0,
    }));
    this.#handedOver = this.#rows.map(() => new HandedOver(SETTLE_LOOKS));
  }

  get weights(): readonly number[] {
    return this.#rows.map(({ hostId }) => this.#held(hostId).reduce((sum, index) => sum + 1 + this.#load(index), 0));
  }

  /** @returns whether anything moved */
  round(): boolean {
    let moved = false;
    for (const [index, row] of this.#rows.entries()) {
      if ((this.#round + index) % HEARTBEAT_LOOKS === 0) this.#beat(index);
      moved = this.#look(row.hostId, index) || moved;
    }
    this.#round += 1;
    return moved;
  }

  #beat(index: number): void {
    const row = this.#rows[index];
    if (row === undefined) return;
    const load = this.#held(row.hostId).reduce((sum, shard) => sum + this.#load(shard), 0);
    this.#rows[index] = { ...row, load };
  }

  #look(hostId: string, index: number): boolean {
    const shards: ShardRow[] = this.owner.map((owner, shard) => ({
      shard: `s${shard}`,
      epoch: 1,
      owner,
      ownerIncarnation: owner && `${owner}-1`,
    }));
    const plan = planOwnership({
      self: { hostId, pool: 'socket' },
      hosts: this.#rows,
      silent: new Set(),
      shards,
      held: this.#held(hostId).map((shard) => ({
        shard: `s${shard}`,
        load: this.#load(shard),
        pairing: false,
        releasing: false,
      })),
      settling: this.#handedOver[index]?.settling(shards, this.#round) ?? new Set(),
      mostInMotion: Math.max(1, Math.floor(shards.length * 0.05)),
    });
    for (const name of plan.handOver) {
      const shard = Number(name.slice(1));
      // Never of what it has not got.
      expect(this.owner[shard]).toBe(hostId);
      this.owner[shard] = null;
      const hasSessions = this.#load(shard) > 0;
      this.#handedOver[index]?.note(name, { hasSessions, at: this.#round });
      if (hasSessions) this.moves.set(shard, (this.moves.get(shard) ?? 0) + 1);
    }
    for (const { shard: name } of plan.acquire) {
      const shard = Number(name.slice(1));
      // Never of what a living host has.
      expect(this.#rows.map((row) => row.hostId)).not.toContain(this.owner[shard]);
      this.owner[shard] = hostId;
    }
    return plan.handOver.length + plan.acquire.length > 0;
  }

  #held(hostId: string): number[] {
    return this.owner.flatMap((owner, index) => (owner === hostId ? [index] : []));
  }

  #load(shard: number): number {
    return this.#loads[shard] ?? 0;
  }
}

function world(load: fc.Arbitrary<number>): fc.Arbitrary<World> {
  return fc.record({
    hosts: fc.integer({ min: 1, max: 7 }),
    loads: fc.array(load, { minLength: 1, maxLength: 40 }),
    owners: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 40, maxLength: 40 }),
  });
}

function settled(start: World): Fleet {
  const fleet = new Fleet(start);
  let quiet = 0;
  for (let round = 0; quiet <= SETTLE_LOOKS + HEARTBEAT_LOOKS; round += 1) {
    if (round === MOST_ROUNDS) throw new Error(`they do not come to rest: ${JSON.stringify(start)}`);
    quiet = fleet.round() ? 0 : quiet + 1;
  }
  for (const owner of fleet.owner) expect(owner).not.toBeNull();
  return fleet;
}

const empty = fc.constant(0);
const few = fc.integer({ min: 0, max: 3 });
const many = fc.oneof(empty, few, fc.integer({ min: 0, max: 500 }), fc.constant(200));

describe('hosts that all plan for themselves', () => {
  it('end with even numbers of empty shards, from any start', () => {
    fc.assert(
      fc.property(world(empty), (start) => {
        const counts = settled(start).weights;
        expect(Math.max(...counts)).toBeLessThanOrEqual(Math.ceil(start.loads.length / start.hosts));
      }),
    );
  });

  it('come to rest from any start, with whatever loads, and no shard wanders', () => {
    fc.assert(
      fc.property(fc.oneof(world(few), world(many)), (start) => {
        const fleet = settled(start);
        expect(Math.max(0, ...fleet.moves.values())).toBeLessThanOrEqual(3);
      }),
      { numRuns: 300 },
    );
  });

  it('end within a tenth of the mean, or where no shard with sessions could be moved to the good', () => {
    fc.assert(
      fc.property(world(many), (start) => {
        const fleet = settled(start);
        const { weights } = fleet;
        const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
        const heaviest = Math.max(...weights);
        const own = fleet.owner.flatMap((owner, index) =>
          owner === `h${weights.indexOf(heaviest)}` ? [1 + (start.loads[index] ?? 0)] : [],
        );
        const gain = heaviest - Math.min(...weights);
        expect(heaviest <= mean * 1.1 || gain <= 1.5 * Math.min(...own)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('come to rest again when a host joins, without moving more than its part', () => {
    const loads = Array.from({ length: 64 }, (_, index) => 60 + (index % 7) * 5);
    const fleet = settled({ hosts: 5, loads, owners: loads.map((_, index) => index % 4) });
    const moved = fleet.moves.size;
    expect(moved).toBeGreaterThan(9);
    expect(moved).toBeLessThan(16);
    expect([...fleet.moves.values()].every((times) => times === 1)).toBe(true);
  });
});
