import { describe, expect, it } from 'vitest';
import type { HostRow, ShardRow } from '#shared/contracts/rows.ts';
import { type HeldShard, type OwnershipFacts, planOwnership } from './ownership-plan.ts';

const host = (hostId: string, changes: Partial<HostRow> = {}): HostRow => ({
  hostId,
  incarnation: `${hostId}-1`,
  pool: 'socket',
  rvn: 1,
  state: 'ACTIVE',
  load: 0,
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
  load: 0,
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
  settling: new Set(),
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

  it('hands over the surplus, empty shards first, within the limit of what may move', () => {
    const mine = [held(0, { load: 3 }), held(1), held(2, { load: 1 }), held(3, { load: 2 })];
    const shards = mine.map((_, index) => shard(index, 'a'));
    const hosts = [host('a'), host('b')];
    expect(planOwnership(facts({ hosts, shards, held: mine })).handOver).toEqual(['socket-01']);
    expect(planOwnership(facts({ hosts, shards, held: mine, mostInMotion: 9 })).handOver).toEqual([
      'socket-01',
      'socket-02',
    ]);
  });

  it('never hands over a shard with a QR code on show or an unknown load, nor more while one is moving', () => {
    const hosts = [host('a'), host('b')];
    const shards = [shard(0, 'a'), shard(1, 'a'), shard(2, 'a'), shard(3, 'a')];
    const handOver = (changes: Partial<HeldShard>, more: Partial<OwnershipFacts> = {}) =>
      planOwnership(facts({ hosts, shards, held: [0, 1, 2, 3].map((index) => held(index, changes)), ...more }))
        .handOver;
    expect(handOver({})).toHaveLength(1);
    expect(handOver({ pairing: true })).toEqual([]);
    expect(handOver({ load: undefined })).toEqual([]);
    expect(handOver({}, { settling: new Set(['socket-04']) })).toEqual([]);
    const moving = [held(0, { releasing: true }), held(1), held(2), held(3)];
    expect(planOwnership(facts({ hosts, shards, held: moving })).handOver).toEqual([]);
  });

  it('takes nothing back that it has just given away', () => {
    const shards = [shard(0, null), shard(1, null)];
    expect(names(planOwnership(facts({ shards, settling: new Set(['socket-00']) })).acquire)).toEqual(['socket-01']);
  });

  it('does not share with hosts that are silent, draining or of another pool', () => {
    const hosts = [host('a'), host('b'), host('c', { state: 'DRAINING' }), host('d', { pool: 'browser' })];
    const shards = [shard(0, null), shard(1, null), shard(2, null)];
    expect(planOwnership(facts({ hosts, shards, silent: new Set(['b']) })).acquire).toHaveLength(3);
    expect(planOwnership(facts({ hosts, shards })).acquire).toHaveLength(2);
  });

  it('weighs sessions, not shards', () => {
    const hosts = [host('a'), host('b', { load: 100 })];
    const shards = [shard(0, 'a'), shard(1, 'a'), shard(2, 'a'), shard(3, 'b')];
    const light = [0, 1, 2].map((index) => held(index, { load: 33 }));
    expect(planOwnership(facts({ hosts, shards, held: light })).handOver).toEqual([]);
    const heavy = [0, 1, 2].map((index) => held(index, { load: 100 }));
    expect(planOwnership(facts({ hosts, shards, held: heavy })).handOver).toEqual(['socket-00']);
  });

  it('keeps sessions where they are for a difference of a tenth, and where the move would only turn it round', () => {
    const shards = Array.from({ length: 4 }, (_, index) => shard(index, index < 2 ? 'a' : 'b'));
    const handOver = (mine: readonly number[], theirs: number) =>
      planOwnership(
        facts({
          hosts: [host('a'), host('b', { load: theirs })],
          shards,
          held: mine.map((load, index) => held(index, { load })),
        }),
      ).handOver;
    expect(handOver([5, 105], 95)).toEqual([]);
    expect(handOver([5, 125], 95)).toEqual(['socket-00']);
    expect(handOver([60, 60], 50)).toEqual([]);
    expect(handOver([60, 60], 20)).toEqual(['socket-00']);
  });

  it('leaves a shard for which there is half a place to the lightest', () => {
    const shards = [...[0, 1, 2, 3].map((index) => shard(index, index < 2 ? 'a' : 'b')), shard(4, null)];
    const mine = [held(0, { load: 10 }), held(1, { load: 9 })];
    const acquire = (theirs: number) =>
      planOwnership(facts({ hosts: [host('a'), host('b', { load: theirs })], shards, held: mine })).acquire;
    expect(acquire(18)).toEqual([]);
    expect(acquire(20)).toHaveLength(1);
  });
});
