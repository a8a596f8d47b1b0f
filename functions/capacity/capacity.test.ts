import { beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryFleetStore } from '#shared/adapters/memory/memory-fleet-store.ts';
import { MemoryOwnershipStore } from '#shared/adapters/memory/memory-ownership-store.ts';
import { MemorySessionStore } from '#shared/adapters/memory/memory-session-store.ts';
import { CONTROL_SOURCE, ECS_SOURCE, SESSION_WANTED, TASK_STATE_CHANGE } from '#shared/contracts/fleet-events.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import type { FleetStore } from '#shared/ports/fleet-store.ts';
import type { HostLauncher } from '#shared/ports/host-launcher.ts';
import { hostRow, sessionRow } from '#test/contracts/rows.ts';
import { createCapacity } from './capacity.ts';
import { capacityEnvSchema, fleetPools } from './env.ts';
import { createCapacityHandler } from './handler.ts';
import type { FleetPool } from './scale-pool.ts';

const MINUTE = 60_000;
const SHARDS = ['socket-00', 'socket-01'];
const LIMITS = { unitsPerHost: 3, warmSpares: 1, minHosts: 0, maxHosts: 5, scaleInAfterMs: 15 * MINUTE };

class FakeLauncher implements HostLauncher {
  hosts = 0;
  readonly asked: number[] = [];
  async count() {
    return { wanted: this.hosts, running: this.hosts };
  }
  async want(_pool: string, hosts: number) {
    this.asked.push(hosts);
    this.hosts = hosts;
  }
}

let now: number;
let ownership: MemoryOwnershipStore;
let sessions: MemorySessionStore;
let launcher: FakeLauncher;
let emitted: Map<string, number>;

beforeEach(() => {
  now = 1_000 * MINUTE;
  ownership = new MemoryOwnershipStore();
  sessions = new MemorySessionStore();
  launcher = new FakeLauncher();
  emitted = new Map();
});

function createHandler({
  isFixed = false,
  fleets = new MemoryFleetStore(),
  pools = [{ pool: 'socket', shards: SHARDS, limits: LIMITS }],
}: {
  isFixed?: boolean;
  fleets?: FleetStore;
  pools?: readonly FleetPool[];
} = {}) {
  const logger = { info: vi.fn(), warn: vi.fn() };
  const capacity = createCapacity({
    ownership,
    sessions,
    fleets,
    launcher: isFixed ? undefined : launcher,
    pools,
    clock: { now: () => now },
    metrics: {
      emit: (_, values) => {
        for (const [{ name }, value] of values) emitted.set(name, value);
      },
    },
    logger,
  });
  const handler = createCapacityHandler({ capacity, logger });
  return {
    logger,
    tick: () => handler({ source: 'aws.events' } as never),
    hear: (...bodies: readonly string[]) =>
      handler({ Records: bodies.map((body, index) => ({ messageId: `m${index}`, body })) } as never),
  };
}

const busEvent = (source: string, type: string, detail: unknown) =>
  JSON.stringify({ version: '0', source, 'detail-type': type, time: '2026-01-01T00:00:00Z', detail });
const wanted = (session: string, shard = 'socket-00') =>
  busEvent(CONTROL_SOURCE, SESSION_WANTED, { session, shard, pool: 'socket', at: now - 120 });
const task = (taskArn: string, lastStatus = 'STOPPED', containers: readonly string[] = []) =>
  busEvent(ECS_SOURCE, TASK_STATE_CHANGE, {
    taskArn,
    lastStatus,
    clusterArn: 'c',
    desiredStatus: 'STOPPED',
    containers: containers.map((status) => ({ name: 'host', lastStatus: status })),
  });

const create = (name: string, fields: Partial<SessionRow> = {}) => sessions.create(sessionRow({ name, ...fields }));

/** A host that has a shard. */
async function host(hostId: string, shard: string, load: number): Promise<void> {
  const row = hostRow({ hostId, incarnation: `boot ${hostId}`, task: `task ${hostId}`, load });
  await ownership.register(row, undefined);
  await ownership.ensureShards(SHARDS);
  const seen = await ownership.shard(shard);
  if (seen !== undefined) await ownership.acquire(seen, hostId, `boot ${hostId}`);
}

describe('the number of hosts', () => {
  it('is none while no session is to run', async () => {
    await create('stopped', { desired: 'STOPPED', status: 'STOPPED' });
    await createHandler().tick();
    expect(launcher.asked).toEqual([]);
    expect(emitted).toEqual(
      new Map([
        ['HostsNeeded', 0],
        ['HostsWanted', 0],
        ['HostsRunning', 0],
        ['PoolLoad', 0],
        ['ShardsWithoutHost', 2],
      ]),
    );
  });

  it('is what the waiting sessions need and a spare, found without any signal', async () => {
    await create('one');
    await create('two', { engine: 'GOWS', shard: 'socket-01' });
    await createHandler().tick();
    expect(launcher.asked).toEqual([2]);
    expect(emitted.get('PoolLoad')).toBe(1.7);
    for (const name of ['three', 'four', 'five']) await create(name);
    await createHandler().tick();
    expect(launcher.asked).toEqual([2, 3]);
  });

  it.each([
    ['to be deleted', { desired: 'DELETED' }],
    ['to be unlinked', { desired: 'STOPPED', status: 'STOPPED', logoutToken: 'l1' }],
    ['to be stopped', { desired: 'STOPPED', status: 'WORKING' }],
  ] as const)('counts a session that is %s: only a host can do that', async (_, fields) => {
    await create('one', fields);
    await createHandler().tick();
    expect(launcher.asked).toEqual([2]);
  });

  it('takes the word of the hosts for what they run, and looks into no shard of theirs', async () => {
    const listed = vi.spyOn(sessions, 'listByShard');
    await host('host-1', 'socket-00', 2);
    await host('host-2', 'socket-01', 5);
    for (const name of ['one', 'two', 'three']) await create(name);
    await createHandler().tick();
    expect(emitted.get('PoolLoad')).toBe(7);
    expect(launcher.asked).toEqual([4]);
    expect(listed).not.toHaveBeenCalled();
  });

  it('does not fall when a host dies: its shards are looked into instead', async () => {
    await host('host-1', 'socket-00', 2);
    await host('host-2', 'socket-01', 1);
    await create('one');
    await create('two');
    await ownership.declareDead('host-1', 'boot host-1', 1);
    await createHandler().tick();
    expect(emitted.get('PoolLoad')).toBe(3);
    expect(emitted.get('ShardsWithoutHost')).toBe(1);
  });

  it('counts shards of a host that was replaced or is gone as nobody’s', async () => {
    await host('host-1', 'socket-00', 2);
    await host('host-2', 'socket-01', 0);
    await create('one', { shard: 'socket-01' });
    await ownership.register(hostRow({ hostId: 'host-2', incarnation: 'later', load: 0 }), 'boot host-2');
    await createHandler().tick();
    expect(emitted.get('PoolLoad')).toBe(3);
    await ownership.deregister('host-2', 'later');
    await createHandler().tick();
    expect(emitted.get('PoolLoad')).toBe(3);
  });

  it('stays within its bound, and says that it is too low', async () => {
    for (let index = 0; index < 16; index += 1) await create(`s${index}`);
    const { tick, logger } = createHandler();
    await tick();
    expect(launcher.asked).toEqual([5]);
    expect(logger.warn).toHaveBeenCalledWith(expect.objectContaining({ units: 16 }), expect.any(String));
  });

  it('falls to none a quarter of an hour after the last session has stopped', async () => {
    const { tick } = createHandler();
    await create('one');
    await tick();
    await sessions.intend('one', 'inc-1', { desired: 'STOPPED' });
    await sessions.report('one', 'inc-1', 1, { status: 'STOPPED' });
    for (let minute = 1; minute < 15; minute += 1) {
      now += MINUTE;
      await tick();
    }
    expect(launcher.asked).toEqual([2]);
    now += MINUTE;
    await tick();
    expect(launcher.asked).toEqual([2, 0]);
  });

  it('leaves hosts that were there before the first decision for as long', async () => {
    launcher.hosts = 4;
    const { tick } = createHandler();
    await tick();
    now += 14 * MINUTE;
    await tick();
    expect(launcher.asked).toEqual([]);
    now += MINUTE;
    await tick();
    expect(launcher.asked).toEqual([0]);
  });

  it('is set anew when somebody else has changed it', async () => {
    const { tick } = createHandler();
    await create('one');
    await tick();
    launcher.hosts = 0;
    await tick();
    expect(launcher.asked).toEqual([2, 2]);
  });

  it('is not forgotten by runs that meet', async () => {
    const fleets = new MemoryFleetStore();
    await create('one');
    await Promise.all(Array.from({ length: 6 }, () => createHandler({ fleets }).tick()));
    expect(await fleets.get('socket')).toMatchObject({ version: 6 });
    expect(launcher.hosts).toBe(2);
  });
});

describe('pools', () => {
  const env = { BROWSER_SHARD_COUNT: '2', BROWSER_UNITS_PER_HOST: '2000', WARM_SPARES: '0', SHARD_COUNT: '2' };

  it('are those of sockets alone, unless browsers have shards', () => {
    expect(fleetPools(capacityEnvSchema.parse({})).map(({ pool }) => pool)).toEqual(['socket']);
    expect(fleetPools(capacityEnvSchema.parse({ ...env, MAX_BROWSER_HOSTS: '7' }))).toMatchObject([
      { pool: 'socket', limits: { unitsPerHost: 500, maxHosts: 10 } },
      { pool: 'browser', shards: ['browser-00', 'browser-01'], limits: { unitsPerHost: 2_000, maxHosts: 7 } },
    ]);
  });

  it('have hosts of their own: no browsers no hosts for them, and eleven browsers two', async () => {
    const asked: [string, number][] = [];
    vi.spyOn(launcher, 'want').mockImplementation(async (pool, hosts) => void asked.push([pool, hosts]));
    const { tick } = createHandler({ pools: fleetPools(capacityEnvSchema.parse(env)) });
    await create('sockets alone');
    await tick();
    expect(asked.splice(0)).toEqual([['socket', 1]]);
    for (let index = 0; index < 11; index += 1)
      await create(`browser ${index}`, { engine: 'WEBJS', pool: 'browser', shard: 'browser-01' });
    await tick();
    expect(asked).toEqual([
      ['socket', 1],
      ['browser', 2],
    ]);
  });
});

describe('a session that is wanted', () => {
  it('gets its host at once, also before the index of sessions knows it', async () => {
    await create('one');
    sessions.listByShard = async () => [];
    const { hear, logger } = createHandler();
    expect(await hear(wanted('one'), wanted('one'))).toEqual({ batchItemFailures: [] });
    expect(launcher.asked).toEqual([2]);
    expect(emitted.get('PoolLoad')).toBe(1);
    expect(emitted.get('HostAskedAfter')).toBe(120);
    expect(JSON.stringify(logger.info.mock.calls)).not.toContain('"one"');
  });

  it('gets none when it has changed its mind, or a host has it', async () => {
    await create('stopped', { desired: 'STOPPED', status: 'STOPPED' });
    await host('host-1', 'socket-01', 1);
    launcher.hosts = 2;
    await create('held', { shard: 'socket-01' });
    await createHandler().hear(wanted('stopped'), wanted('gone'), wanted('held', 'socket-01'));
    expect(launcher.asked).toEqual([]);
    expect(emitted.get('PoolLoad')).toBe(1);
    expect(emitted.has('HostAskedAfter')).toBe(false);
  });

  it('comes again when the launcher does not answer', async () => {
    await create('one');
    vi.spyOn(launcher, 'want').mockRejectedValueOnce(new DependencyError('ECS is away'));
    const { hear } = createHandler();
    await expect(hear(wanted('one'))).rejects.toBeInstanceOf(DependencyError);
    await hear(wanted('one'));
    expect(launcher.hosts).toBe(2);
  });
});

describe('a task that has stopped', () => {
  const states = async () => Object.fromEntries((await ownership.hosts()).map(({ hostId, state }) => [hostId, state]));

  it('is the end of its host, at once', async () => {
    await host('host-1', 'socket-00', 1);
    await host('host-2', 'socket-01', 1);
    await createHandler().hear(task('task host-1'));
    expect(await states()).toEqual({ 'host-1': 'DEAD', 'host-2': 'ACTIVE' });
    expect(emitted.get('HostDeaths')).toBe(1);
  });

  it('is no end of a host that has another task by now, nor of anybody else', async () => {
    await host('host-1', 'socket-00', 1);
    await ownership.register(hostRow({ hostId: 'host-1', incarnation: 'boot-2', task: 'task again' }), 'boot host-1');
    await createHandler().hear(task('task host-1'), task('somebody else'));
    expect(await states()).toEqual({ 'host-1': 'ACTIVE' });
    expect(emitted.has('HostDeaths')).toBe(false);
  });

  it('is none while it is only about to stop, and one as soon as its containers are gone', async () => {
    await host('host-1', 'socket-00', 1);
    await createHandler().hear(
      task('task host-1', 'DEACTIVATING', ['RUNNING']),
      task('task host-1', 'STOPPING'),
      task('task host-1', 'DEPROVISIONING', ['STOPPED', 'RUNNING']),
    );
    expect(await states()).toEqual({ 'host-1': 'ACTIVE' });
    await createHandler().hear(task('task host-1', 'DEPROVISIONING', ['STOPPED', 'STOPPED']));
    expect(await states()).toEqual({ 'host-1': 'DEAD' });
  });

  it('is told also where the number of hosts is fixed', async () => {
    await host('host-1', 'socket-00', 1);
    await createHandler({ isFixed: true }).hear(task('task host-1'));
    expect(await states()).toEqual({ 'host-1': 'DEAD' });
    expect(emitted.has('HostsWanted')).toBe(false);
  });
});

it('reports events that it does not understand as failed, and heeds the others', async () => {
  await create('one');
  const { hear } = createHandler();
  const answer = await hear(
    'no JSON',
    wanted('one'),
    busEvent(CONTROL_SOURCE, SESSION_WANTED, {}),
    busEvent('x', 'y', {}),
  );
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }, { itemIdentifier: 'm2' }] });
  expect(launcher.asked).toEqual([2]);
});
