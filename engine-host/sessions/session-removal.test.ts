import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import type { JobRow } from '#shared/contracts/jobs.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { seeded } from '#test/chaos/random.ts';
import { jobRow } from '#test/contracts/rows.ts';
import { ManualLease } from '../host/manual-lease.ts';
import type { FakeEngine } from './fake-engine.ts';
import { createRunner, createWorld, rowOf, type World, working } from './session-runner-world.ts';

const ME = { id: '4915112345678@c.us', pushName: null, lid: null, jid: null };
const CHUNK = 100;

/** A session that is to be deleted, and has these sends open. */
async function doomed(sends: number, changes: Partial<SessionRow> = {}) {
  const world = await createWorld({ desired: 'DELETED', status: 'STOPPED', me: ME, epoch: 1, ...changes });
  world.factory.onStart = (engine) => engine.work();
  await open(world, sends);
  return world;
}

async function open({ jobs }: Pick<World, 'jobs'>, sends: number, fields: Partial<JobRow> = {}): Promise<void> {
  for (let number = 1; number <= sends; number += 1) {
    const jobId = `job-${number}`;
    await jobs.create(
      jobRow({ jobId, messageId: `3EB0${number}`, createdAt: number, openShard: 'socket-00', ...fields }),
    );
  }
}

const listed = async ({ jobs }: Pick<World, 'jobs'>) => (await jobs.listOpen('socket-00', 'alpha')).length;
const failed = async ({ jobs }: Pick<World, 'jobs'>) =>
  (await jobs.list('alpha', { state: 'FAILED', limit: 1_000, offset: 0 })).length;

/** Numbers of the sends of which it was told that they failed, each as often as that was told, with the event's id. */
const failuresTold = ({ bus }: Pick<World, 'bus'>) =>
  bus.events.flatMap((event) =>
    event.event === 'message.ack' ? [{ id: event.id, send: Number(event.payload.id.split('3EB0').at(-1)) }] : [],
  );
const wordOf = (event: EventEnvelope | undefined) =>
  event?.event === 'session.status' ? `${event.payload.status} ${event.payload.data?.reason}` : event?.event;
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** What a deletion has done in the end, whoever has done it. */
async function expectDeleted(world: World, sends: number, lastWord = 'STOPPED deleted'): Promise<void> {
  expect(await rowOf(world)).toBeUndefined();
  expect([await failed(world), await listed(world)]).toEqual([sends, 0]);
  const told = failuresTold(world);
  expect([...new Set(told.map(({ send }) => send))].toSorted((a, b) => a - b)).toEqual(numbers(sends));
  expect(new Set(told.map(({ id }) => id)).size).toBe(sends);
  expect(wordOf(world.bus.events.at(-1))).toBe(lastWord);
  expect(await world.eventLog.read('alpha', 0, 1)).toEqual([]);
}

/** Another host gets the session and goes on as far as it comes. */
async function nextOwner(world: World, epoch: number): Promise<void> {
  const { runner } = createRunner(world, new ManualLease('socket-00', epoch));
  runner.wake();
  await runner.settled();
}

describe('the deletion of a session with many open jobs', () => {
  it('ends no more of them than it can tell of, and takes as long as the bus needs', async () => {
    const world = await doomed(250);
    world.bus.refuse('call');
    const tried = vi.spyOn(world.bus, 'publish');
    const deleted = nextOwner(world, 2);
    await vi.waitFor(() => expect(tried.mock.calls.length).toBeGreaterThan(2));
    expect([await failed(world), await listed(world)]).toEqual([CHUNK, 250]);
    world.bus.refuse('none');
    await deleted;
    await expectDeleted(world, 250);
    expect(failuresTold(world)).toHaveLength(250);
  });

  it('stops behind a part of them when the shard is handed over, and the next owner goes on', async () => {
    const world = await doomed(250);
    const { runner } = createRunner(world, new ManualLease('socket-00', 2));
    world.bus.refuse('call');
    runner.wake();
    await vi.waitFor(async () => expect(await failed(world)).toBe(CHUNK));
    const handedOver = runner.handOver();
    world.bus.refuse('none');
    await handedOver;
    expect(await rowOf(world)).toMatchObject({ desired: 'DELETED' });
    expect([await failed(world), await listed(world)]).toEqual([CHUNK, 250]);
    await nextOwner(world, 3);
    await expectDeleted(world, 250);
  });

  it('stops so also where there is nothing to tell', async () => {
    const world = await doomed(0);
    await open(world, 250, { command: { type: 'checkExists', phone: '4915100000001' }, messageId: undefined });
    const { runner } = createRunner(world, new ManualLease('socket-00', 2));
    const advance = world.jobs.advance.bind(world.jobs);
    let handedOver: Promise<void> | undefined;
    vi.spyOn(world.jobs, 'advance').mockImplementation(async (...args) => {
      handedOver ??= runner.handOver();
      await advance(...args);
    });
    runner.wake();
    await runner.settled();
    await handedOver;
    expect(await listed(world)).toBe(150);
    await nextOwner(world, 3);
    expect(await rowOf(world)).toBeUndefined();
    expect([await failed(world), await listed(world), failuresTold(world)]).toEqual([250, 0, []]);
  });

  it('stops between two pieces of what is stored when the shard is handed over', async () => {
    const world = await doomed(0);
    for (let file = 0; file < 2_500; file += 1)
      await world.media.put(`files/alpha/${file}.png`, Uint8Array.of(1), 'image/png');
    const { runner } = createRunner(world, new ManualLease('socket-00', 2));
    const deleteSome = world.media.deleteSome.bind(world.media);
    let handedOver: Promise<void> | undefined;
    vi.spyOn(world.media, 'deleteSome').mockImplementation(async (prefix) => {
      const more = await deleteSome(prefix);
      if (more) handedOver ??= runner.handOver();
      return more;
    });
    runner.wake();
    await runner.settled();
    await handedOver;
    expect(await rowOf(world)).toMatchObject({ desired: 'DELETED', statusReason: 'deleted' });
    expect(await world.media.exists('files/alpha/2499.png')).toBe(true);
    await nextOwner(world, 3);
    expect(await world.media.exists('files/alpha/2499.png')).toBe(false);
    await expectDeleted(world, 0);
  });
});

const refusesToUnlink = ({ context }: FakeEngine) =>
  context.report({ status: 'FAILED', reason: 'banned', message: 'no' });

describe('its last word is the session’s last event', () => {
  it('of a session that works', async () => {
    const session = await working();
    await open(session.world, 3);
    await session.intend({ desired: 'DELETED' });
    expect(session.factory.told).toEqual(['start', 'logout']);
    await expectDeleted(session.world, 3);
  });

  it.each([
    { title: 'of one that was STOPPED', changes: {}, lastWord: undefined },
    { title: 'of one that never ran', changes: { me: null, epoch: 0 }, lastWord: undefined },
    { title: 'of one whose device cannot be unlinked', changes: {}, lastWord: 'STOPPED unlink-failed' },
    {
      title: 'of one whose state cannot be read',
      changes: { checkpoint: { key: 'checkpoints/alpha/one/x', lsn: 5, epoch: 0 } },
      lastWord: 'STOPPED unlink-failed',
    },
  ])('$title', async ({ changes, lastWord }) => {
    const world = await doomed(3, changes);
    if (lastWord !== undefined) world.factory.onStart = refusesToUnlink;
    await nextOwner(world, 2);
    await expectDeleted(world, 3, lastWord);
    expect(world.bus.events.filter(({ event }) => event === 'session.status')).toHaveLength(1);
  });

  it('and a next owner who only has to erase does not look for the device again', async () => {
    const world = await doomed(1);
    const remove = vi.spyOn(world.sessions, 'remove').mockRejectedValueOnce(new DependencyError('no answer'));
    const first = createRunner(world, new ManualLease('socket-00', 2));
    remove.mockImplementationOnce(async () => {
      first.lease.end();
      throw new DependencyError('no answer');
    });
    first.runner.wake();
    await first.runner.settled();
    world.factory.onStart = refusesToUnlink;
    await nextOwner(world, 3);
    expect(world.factory.told).toEqual(['start', 'logout']);
    await expectDeleted(world, 1);
  });
});

it('tells nobody of what an earlier session of the name has left', async () => {
  const world = await doomed(2);
  await open(world, 0);
  const left = { jobId: 'left', messageId: '3EB09', incarnation: 'zero', createdAt: 0, openShard: 'socket-00' };
  await world.jobs.create(jobRow(left));
  await nextOwner(world, 2);
  expect(await world.jobs.get('alpha', 'left')).toMatchObject({ state: 'FAILED' });
  expect(failuresTold(world).map(({ send }) => send)).toEqual([1, 2]);
  expect(await listed(world)).toBe(0);
});

type Fault = 'none' | 'before' | 'after';

/** A host after the other, each until one of its calls is its last. */
async function deletedByMortals(world: World, fault: () => Fault): Promise<void> {
  for (let epoch = 2; ; epoch += 1) {
    if (epoch > 1_000) throw new Error('It never comes to an end');
    const lease = new ManualLease('socket-00', epoch);
    const die = () => {
      lease.end();
      void host.runner.abort();
      return new DependencyError('Nobody hears the answer');
    };
    const mortal = <T extends object>(store: T): T =>
      new Proxy(store, {
        get: (_target, name) => {
          const method: unknown = Reflect.get(store, name);
          if (typeof method !== 'function') return method;
          // The journal is read record by record: the host dies at the next call.
          if (name === 'read') return method.bind(store);
          return async (...args: readonly unknown[]): Promise<unknown> => {
            const at = lease.ended.aborted ? 'none' : fault();
            if (at === 'before') throw die();
            const answer: unknown = await Reflect.apply(method, store, args);
            if (at === 'after') throw die();
            return answer;
          };
        },
      });
    const host = createRunner(
      {
        ...world,
        sessions: mortal(world.sessions),
        eventLog: mortal(world.eventLog),
        bus: mortal(world.bus),
        checkpoints: mortal(world.checkpoints),
        journal: mortal(world.journal),
        jobs: mortal(world.jobs),
        media: mortal(world.media),
      },
      lease,
    );
    host.runner.wake();
    await host.runner.settled();
    if (lease.ended.aborted) continue;
    expect(await rowOf(world)).toBeUndefined();
    return;
  }
}

describe('a deletion whose host dies', () => {
  it.each(['before', 'after'] as const)('%s any of its calls is completed by the next one', async (when) => {
    for (let last = 1; ; last += 1) {
      const world = await doomed(3);
      let calls = 0;
      await deletedByMortals(world, () => {
        calls += 1;
        return calls === last ? when : 'none';
      });
      await expectDeleted(world, 3);
      if (calls < last) return expect(last).toBeGreaterThan(25);
    }
  });

  it('again and again, is completed, and every failure is told under one id', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const world = await doomed(230);
        const random = seeded(seed);
        await deletedByMortals(world, () => (random.chance(0.01) ? random.pick(['before', 'after']) : 'none'));
        await expectDeleted(world, 230);
      }),
      { numRuns: 20 },
    );
  });
});
