import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostRow, ShardRow } from '#shared/contracts/rows.ts';
import { fairShare, type HeldShard, type OwnershipFacts, planOwnership } from './ownership-plan.ts';

const host = (hostId: string, changes: Partial<HostRow> = {}): HostRow => ({
  hostId,
  incarnation: `${hostId}-1`,
  pool: 'socket',
  rvn: 1,
  state: 'ACTIVE',
  sessions: 0,
  startedAt: 0,
  ttl: 0,
  ...changes,
});
const shard = (index: number, owner: string | null, incarnation = owner && `${owner}-1`): ShardRow => ({
  shard: `socket-0${index}`,
  epoch: 1,
  owner,
  ownerIncarnation: incarnation,
});
const held = (index: number, changes: Partial<HeldShard> = {}): HeldShard => ({
  shard: `socket-0${index}`,
  sessions: 0,
  pairing: false,
  releasing: false,
  ...changes,
});
const facts = (changes: Partial<OwnershipFacts>): OwnershipFacts => ({
  self: { hostId: 'a', pool: 'socket' },
  hosts: [host('a')],
  silent: new Set(),
  shards: [],
  held: [],
  mostInMotion: 1,
  ...changes,
});
const names = (rows: readonly ShardRow[]) => rows.map((row) => row.shard).sort();

describe('planOwnership', () => {
  it('takes all free shards when it is alone', () => {
    const plan = planOwnership(facts({ shards: [shard(0, null), shard(1, null)] }));
    expect(names(plan.acquire)).toEqual(['socket-00', 'socket-01']);
  });

  it('takes what an earlier incarnation of the same host has left, at once', () => {
    const plan = planOwnership(facts({ shards: [shard(0, 'a', 'a-0')] }));
    expect(names(plan.acquire)).toEqual(['socket-00']);
  });

  it.each([
    ['declared dead', [host('a'), host('b', { state: 'DEAD' })]],
    ['gone', [host('a')]],
    ['registered anew', [host('a'), host('b', { incarnation: 'b-2' })]],
  ])('takes the shards of an owner that is %s', (_, hosts) => {
    expect(names(planOwnership(facts({ hosts, shards: [shard(0, 'b')] })).acquire)).toEqual(['socket-00']);
  });

  it.each(['ACTIVE', 'DRAINING'] as const)('leaves the shards of an owner that is %s', (state) => {
    const plan = planOwnership(facts({ hosts: [host('a'), host('b', { state })], shards: [shard(0, 'b')] }));
    expect(plan.acquire).toEqual([]);
  });

  it('leaves the shards of a silent host that is not declared dead', () => {
    const shards = [shard(0, 'b')];
    expect(planOwnership(facts({ hosts: [host('a'), host('b')], silent: new Set(['b']), shards })).acquire).toEqual([]);
  });

  it('hands over the surplus, idle shards first, within the limit of what may move', () => {
    const mine = [held(0, { sessions: 3 }), held(1), held(2, { sessions: 1 }), held(3, { sessions: 2 })];
    const shards = mine.map((_, index) => shard(index, 'a'));
    const hosts = [host('a'), host('b')];
    expect(planOwnership(facts({ hosts, shards, held: mine })).handOver).toEqual(['socket-01']);
    expect(planOwnership(facts({ hosts, shards, held: mine, mostInMotion: 9 })).handOver).toEqual([
      'socket-01',
      'socket-02',
    ]);
  });

  it('never hands over a shard with a QR code on show, nor more while one is moving', () => {
    const hosts = [host('a'), host('b')];
    const shards = [shard(0, 'a'), shard(1, 'a'), shard(2, 'a'), shard(3, 'a')];
    const pairing = [0, 1, 2, 3].map((index) => held(index, { pairing: true }));
    expect(planOwnership(facts({ hosts, shards, held: pairing })).handOver).toEqual([]);
    const moving = [held(0, { releasing: true }), held(1), held(2), held(3)];
    expect(planOwnership(facts({ hosts, shards, held: moving })).handOver).toEqual([]);
  });

  it('does not share with hosts that are silent, draining or of another pool', () => {
    const hosts = [host('a'), host('b'), host('c', { state: 'DRAINING' }), host('d', { pool: 'browser' })];
    const shards = [shard(0, null), shard(1, null), shard(2, null)];
    expect(fairShare(facts({ hosts, shards, silent: new Set(['b']) }))).toBe(3);
    expect(fairShare(facts({ hosts, shards }))).toBe(2);
  });

  it('brings any number of hosts from any start to even shares, and then rests', () => {
    const world = fc.record({
      shards: fc.integer({ min: 1, max: 40 }),
      hosts: fc.integer({ min: 1, max: 7 }),
      owners: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 40, maxLength: 40 }),
    });
    fc.assert(
      fc.property(world, ({ shards, hosts, owners }) => {
        const rows = Array.from({ length: hosts }, (_, index) => host(`h${index}`));
        // Owners beyond the last host are hosts that are gone; 9 is nobody.
        const owner = owners.slice(0, shards).map((index) => (index === 9 ? null : `h${index}`));
        for (let round = 0; round < 200; round += 1) {
          let moved = false;
          for (const { hostId } of rows) {
            const plan = planOwnership({
              self: { hostId, pool: 'socket' },
              hosts: rows,
              silent: new Set(),
              shards: owner.map((name, index) => ({ ...shard(0, name), shard: `s${index}` })),
              held: owner.flatMap((name, index) => (name === hostId ? [{ ...held(0), shard: `s${index}` }] : [])),
              mostInMotion: Math.max(1, Math.floor(shards * 0.05)),
            });
            for (const name of plan.handOver) owner[Number(name.slice(1))] = null;
            for (const row of plan.acquire) owner[Number(row.shard.slice(1))] = hostId;
            moved ||= plan.handOver.length + plan.acquire.length > 0;
          }
          if (!moved) break;
        }
        const counts = rows.map(({ hostId }) => owner.filter((name) => name === hostId).length);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(shards);
        expect(Math.max(...counts)).toBeLessThanOrEqual(Math.ceil(shards / hosts));
      }),
    );
  });
});
