import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryOwnershipStore } from '#shared/adapters/memory/memory-ownership-store.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { shardIds } from '#shared/contracts/resources.ts';
import { DependencyError, NotOwnerError } from '#shared/domain/errors.ts';
import { readHostConfig } from './config.ts';
import { InThreadHeartbeat } from './heartbeat/in-thread-heartbeat.ts';
import { LeaseSuspendedError, type ShardLease } from './lease.ts';
import { ShardOwner, type ShardTenant } from './shard-owner.ts';

class Tenant implements ShardTenant {
  readonly lease: ShardLease;
  readonly log: string[];
  sessions = 1;
  working = 0;
  load: number | undefined = 1;
  pairing = false;
  ended: 'drained' | 'aborted' | undefined;

  constructor(lease: ShardLease, log: string[]) {
    this.lease = lease;
    this.log = log;
  }
  async drain(): Promise<void> {
    this.lease.assertOwned();
    this.ended = 'drained';
    this.log.push(`drain ${this.lease.shard}`);
  }
  async abort(): Promise<void> {
    expect(() => this.lease.assertOwned()).toThrow(NotOwnerError);
    this.ended = 'aborted';
  }
}

const { timings } = readHostConfig({ STATE_KEY_FILE: 'none', PUBLIC_URL: 'https://wa.example.com' });
const owners: ShardOwner[] = [];

function createOwner(store: MemoryOwnershipStore, hostId: string, shards = 4, task?: string) {
  const tenants: Tenant[] = [];
  const log: string[] = [];
  const seen = { hosts: 0, pairing: false };
  const pulse = vi.fn();
  const owner = new ShardOwner({
    hostId,
    task,
    pool: 'socket',
    shards: shardIds('socket', shards),
    store,
    heartbeat: new InThreadHeartbeat({ store, clock: systemClock, every: timings.heartbeat }),
    clock: systemClock,
    timings,
    logger: pino({ level: 'silent' }),
    onLook: ({ liveHosts, pairing }) => {
      Object.assign(seen, { hosts: liveHosts, pairing });
    },
    pulse,
    admit: (lease) => {
      const tenant = new Tenant(lease, log);
      tenants.push(tenant);
      return tenant;
    },
  });
  owners.push(owner);
  return { owner, tenants, seen, pulse, live: () => tenants.filter((tenant) => !tenant.lease.ended.aborted), log };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'hrtime'] });
});
afterEach(async () => {
  const drained = Promise.all(owners.splice(0).map((owner) => owner.drain(1_000)));
  await pass(10_000);
  await drained;
  vi.useRealTimers();
});

describe('ShardOwner', () => {
  it('waits for tables that do not answer yet, and gives up on what no repetition mends', async () => {
    const store = new MemoryOwnershipStore();
    const register = vi.spyOn(store, 'register').mockRejectedValueOnce(new DependencyError('The table is away'));
    const a = createOwner(store, 'a');
    const started = a.owner.start();
    await pass(5_000);
    await started;
    expect(register).toHaveBeenCalledTimes(2);
    expect(a.live()).toHaveLength(4);
    vi.spyOn(store, 'ensureShards').mockRejectedValueOnce(new Error('broken'));
    await expect(createOwner(store, 'b').owner.start()).rejects.toThrow('broken');
  });

  it('keeps its shards when a registration that was given up arrives after the one that counts', async () => {
    const store = new MemoryOwnershipStore();
    const register = vi.spyOn(store, 'register').mockRejectedValueOnce(new DependencyError('no answer'));
    const [a, b] = [createOwner(store, 'a'), createOwner(store, 'b')];
    const started = a.owner.start();
    await pass(1_000);
    await started;
    await b.owner.start();
    const [late] = register.mock.calls;
    if (late === undefined) throw new Error('nothing was registered');
    expect(await store.register(...late)).toBe(false);
    await pass(10_000);
    expect([a.live().length, b.live().length]).toEqual([2, 2]);
    expect(a.tenants.map(({ ended }) => ended)).not.toContain('aborted');
    expect(a.log).toHaveLength(2);
  });

  it('registers anew when the attempt before arrives in between', async () => {
    const store = new MemoryOwnershipStore();
    const { hosts } = store;
    vi.spyOn(store, 'hosts').mockImplementationOnce(async () => {
      const seen = await hosts.call(store);
      const now = { pool: 'socket', rvn: 1, state: 'ACTIVE', load: 0, startedAt: 0, ttl: 0 } as const;
      await store.register({ hostId: 'a', incarnation: 'late', ...now }, undefined);
      return seen;
    });
    const a = createOwner(store, 'a');
    await a.owner.start();
    await pass(60_000);
    expect(a.tenants.map(({ ended }) => ended)).toEqual([undefined, undefined, undefined, undefined]);
    expect(await store.hosts()).toMatchObject([{ hostId: 'a', state: 'ACTIVE', rvn: 31 }]);
  });

  it('takes all shards when it is alone and keeps them by its heartbeat', async () => {
    const store = new MemoryOwnershipStore();
    const a = createOwner(store, 'a');
    await a.owner.start();
    await pass(60_000);
    expect(a.live()).toHaveLength(4);
    expect(a.tenants).toHaveLength(4);
    for (const tenant of a.live()) tenant.lease.assertOwned();
    expect(a.seen.pairing).toBe(false);
    const [pairing] = a.tenants;
    if (pairing !== undefined) pairing.pairing = true;
    await pass(timings.observe);
    expect(a.seen.pairing).toBe(true);
    expect(await store.hosts()).toMatchObject([{ hostId: 'a', state: 'ACTIVE', load: 4, rvn: 31 }]);
  });

  it('gives a second host its share, drained before it is released, under a higher epoch', async () => {
    const store = new MemoryOwnershipStore();
    const a = createOwner(store, 'a');
    await a.owner.start();
    await pass(1_000);
    const b = createOwner(store, 'b');
    await b.owner.start();
    await pass(10_000);
    expect([a.live().length, b.live().length]).toEqual([2, 2]);
    expect(a.log).toHaveLength(2);
    expect([a.seen.hosts, b.seen.hosts]).toEqual([2, 2]);
    for (const { lease } of b.live()) expect(lease.epoch).toBe(2);
  });

  it('gives away what has sessions only as fast as the others can show that they have it', async () => {
    const store = new MemoryOwnershipStore();
    const a = createOwner(store, 'a');
    await a.owner.start();
    await pass(1_000);
    for (const tenant of a.tenants) tenant.load = 10;
    const b = createOwner(store, 'b');
    await b.owner.start();
    await pass(4_900);
    expect(a.log).toHaveLength(1);
    for (const tenant of b.tenants) tenant.load = 10;
    await pass(10_000);
    expect(a.log).toHaveLength(2);
    expect([a.live().length, b.live().length]).toEqual([2, 2]);
  });

  it('takes over at once from a host whose task has stopped, and counts it', async () => {
    const store = new MemoryOwnershipStore();
    const a = createOwner(store, 'a', 4, 'task-a');
    const b = createOwner(store, 'b', 4, 'task-b');
    await a.owner.start();
    await pass(1_000);
    await b.owner.start();
    await pass(10_000);
    expect(a.owner.figures).toEqual({ sessions: 2, working: 0, load: 2, failovers: 0, registrations: 1 });
    expect(await store.declareStopped('b', 'task-b')).toBe(true);
    await pass(timings.observe);
    expect(a.live()).toHaveLength(4);
    expect(a.owner.figures).toMatchObject({ failovers: 2 });
    await pass(10_000);
    expect(b.owner.figures).toMatchObject({ registrations: 2 });
  });

  it('takes over from a host that died, after the silence and not before', async () => {
    const store = new MemoryOwnershipStore();
    await store.ensureShards(['socket-00']);
    const now = { pool: 'socket', rvn: 5, state: 'ACTIVE', load: 1, startedAt: 0, ttl: 0 } as const;
    await store.register({ hostId: 'dead', incarnation: 'x', ...now }, undefined);
    await store.acquire({ shard: 'socket-00', epoch: 0, owner: null, ownerIncarnation: null }, 'dead', 'x');
    await store.register({ hostId: 'leaving', incarnation: 'y', ...now, state: 'DRAINING' }, undefined);
    const a = createOwner(store, 'a', 1);
    await a.owner.start();
    await pass(0);
    expect(a.seen.hosts).toBe(2);
    await pass(6_900);
    expect(a.live()).toEqual([]);
    expect(a.seen.hosts).toBe(1);
    await pass(2_200);
    expect(a.live()).toHaveLength(1);
    expect(await store.hosts()).toContainEqual(expect.objectContaining({ hostId: 'dead', state: 'DEAD' }));
    expect(a.seen.hosts).toBe(1);
  });

  it('takes over at once what an earlier incarnation of itself has left', async () => {
    const store = new MemoryOwnershipStore();
    await store.ensureShards(['socket-00']);
    await store.acquire({ shard: 'socket-00', epoch: 0, owner: null, ownerIncarnation: null }, 'a', 'earlier');
    const a = createOwner(store, 'a', 1);
    await a.owner.start();
    await pass(0);
    expect(a.live().map(({ lease }) => lease.epoch)).toEqual([2]);
  });

  it('gives back a shard whose row names it although it has no lease, so that somebody runs it', async () => {
    const store = new MemoryOwnershipStore();
    const [a, b] = [createOwner(store, 'a', 2), createOwner(store, 'b', 2)];
    await a.owner.start();
    await b.owner.start();
    await pass(10_000);
    expect([a.live().length, b.live().length]).toEqual([1, 1]);
    // What an acquisition leaves whose answer was lost.
    const incarnation = (await store.hosts()).find(({ hostId }) => hostId === 'b')?.incarnation ?? '';
    const ofA = (await store.shards()).find(({ owner }) => owner === 'a');
    if (ofA === undefined) throw new Error('a has no shard');
    await store.release(ofA.shard, ofA.ownerIncarnation ?? '', ofA.epoch);
    const free = (await store.shard(ofA.shard)) ?? ofA;
    await store.acquire(free, 'b', incarnation);
    await pass(10_000);
    expect([a.live().length, b.live().length]).toEqual([1, 1]);
    expect((await store.shards()).map(({ owner }) => owner).sort()).toEqual(['a', 'b']);
  });

  it('suspends side effects while its heartbeat does not get through, and goes on when it does', async () => {
    const store = new MemoryOwnershipStore();
    const a = createOwner(store, 'a', 1);
    await a.owner.start();
    await pass(2_000);
    const [tenant] = a.live();
    const down = vi.spyOn(store, 'heartbeat').mockRejectedValue(new DependencyError('down'));
    await pass(5_000);
    tenant?.lease.assertOwned();
    await pass(1);
    expect(() => tenant?.lease.assertOwned()).toThrow(LeaseSuspendedError);
    let resumed = false;
    void tenant?.lease.usable().then(() => {
      resumed = true;
    });
    await pass(5_000);
    expect(resumed).toBe(false);
    down.mockRestore();
    await pass(2_000);
    expect(resumed).toBe(true);
    expect(tenant?.ended).toBeUndefined();
    expect(a.tenants).toHaveLength(1);
  });

  it('has a pulse although its heartbeat does not get through, and none while closing a tenant hangs', async () => {
    const store = new MemoryOwnershipStore();
    const { owner, tenants, pulse } = createOwner(store, 'a', 1);
    await owner.start();
    await pass(1_000);
    const heartbeat = vi.spyOn(store, 'heartbeat').mockRejectedValue(new DependencyError('The table is away'));
    await pass(5 * timings.heartbeat);
    expect(pulse.mock.calls.length).toBeGreaterThanOrEqual(5);

    const closing = Promise.withResolvers<void>();
    const [tenant] = tenants;
    if (tenant === undefined) throw new Error('It has no tenant.');
    tenant.abort = () => closing.promise;
    heartbeat.mockRejectedValue(new NotOwnerError('declared dead'));
    await pass(2 * timings.heartbeat);
    pulse.mockClear();
    await pass(10 * timings.heartbeat);
    expect(pulse).not.toHaveBeenCalled();
    closing.resolve();
    heartbeat.mockRestore();
    await pass(2 * timings.heartbeat);
    expect(pulse).toHaveBeenCalled();
  });

  it('counts a heartbeat from when it was sent, however late it is answered', async () => {
    const store = new MemoryOwnershipStore();
    const a = createOwner(store, 'a', 1);
    await a.owner.start();
    await pass(1);
    vi.spyOn(store, 'heartbeat').mockImplementation(
      () =>
        new Promise((resolve) => {
          setTimeout(resolve, 4_900);
        }),
    );
    // Sent at 2 s, answered at 6.9 s: good until 7 s.
    await pass(6_950);
    a.live()[0]?.lease.assertOwned();
    vi.spyOn(store, 'heartbeat').mockRejectedValue(new DependencyError('down'));
    await pass(3_200);
    expect(() => a.live()[0]?.lease.assertOwned()).toThrow(LeaseSuspendedError);
  });

  it('closes everything without side effects when it was declared dead, then begins anew', async () => {
    const store = new MemoryOwnershipStore();
    const a = createOwner(store, 'a', 2);
    await a.owner.start();
    await pass(1);
    const [row] = await store.hosts();
    if (row === undefined) throw new Error('not registered');
    expect(await store.declareDead(row.hostId, row.incarnation, row.rvn)).toBe(true);
    await pass(2_000);
    expect(a.tenants.slice(0, 2).map((tenant) => tenant.ended)).toEqual(['aborted', 'aborted']);
    await pass(1_100);
    expect(a.live().map(({ lease }) => lease.epoch)).toEqual([2, 2]);
    expect((await store.hosts())[0]?.incarnation).not.toBe(row.incarnation);
  });

  it('drops a shard whose row names a later epoch', async () => {
    const store = new MemoryOwnershipStore();
    const a = createOwner(store, 'a', 1);
    await a.owner.start();
    await pass(1);
    const row = await store.shard('socket-00');
    if (row === undefined) throw new Error('no shard');
    const [host] = await store.hosts();
    if (host === undefined) throw new Error('not registered');
    await store.register({ ...host, hostId: 'b', incarnation: 'b' }, undefined);
    await store.acquire(row, 'b', 'b');
    await pass(1_000);
    expect(a.tenants[0]?.ended).toBe('aborted');
    expect(a.live()).toEqual([]);
  });

  it('finds out at once, when asked to confirm a lease, that the shard is another’s', async () => {
    const store = new MemoryOwnershipStore();
    const a = createOwner(store, 'a', 2);
    await a.owner.start();
    await pass(1);
    const [tenant] = a.live();
    const row = (await store.shards()).find(({ shard }) => shard === tenant?.lease.shard);
    if (tenant === undefined || row === undefined) throw new Error('no shard');
    await tenant.lease.confirm();
    vi.spyOn(store, 'shard').mockRejectedValueOnce(new DependencyError('no answer'));
    await expect(tenant.lease.confirm()).rejects.toThrow(DependencyError);
    expect(a.live()).toHaveLength(2);
    await store.acquire(row, 'b', 'b');
    await expect(tenant.lease.confirm()).rejects.toThrow(NotOwnerError);
    expect(tenant.ended).toBe('aborted');
    expect(a.owner.shards).toHaveLength(1);
  });

  it('drains: hands every shard over, deregisters, takes nothing more', async () => {
    const store = new MemoryOwnershipStore();
    const a = createOwner(store, 'a');
    await a.owner.start();
    await pass(1);
    const drained = a.owner.drain(timings.drain);
    await pass(0);
    await drained;
    expect(a.tenants.map((tenant) => tenant.ended)).toEqual(['drained', 'drained', 'drained', 'drained']);
    expect((await store.shards()).map((row) => row.owner)).toEqual([null, null, null, null]);
    expect(await store.hosts()).toEqual([]);
    await pass(60_000);
    expect(a.tenants).toHaveLength(4);
  });

  it('gives up a drain at the deadline; what was not drained is aborted', async () => {
    const store = new MemoryOwnershipStore();
    const a = createOwner(store, 'a', 1);
    await a.owner.start();
    await pass(1);
    const [tenant] = a.tenants;
    if (tenant === undefined) throw new Error('no shard');
    vi.spyOn(tenant, 'drain').mockReturnValue(new Promise(() => {}));
    const drained = a.owner.drain(5_000);
    await pass(5_000);
    await drained;
    expect(tenant.ended).toBe('aborted');
    expect(await store.hosts()).toEqual([]);
  });
});
