import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { sendCommandSchema } from '#shared/contracts/commands.ts';
import type { JobRow } from '#shared/contracts/jobs.ts';
import { DependencyError, NotOwnerError } from '#shared/domain/errors.ts';
import { eventId } from '#shared/domain/event-id.ts';
import { needsRunner } from '#shared/domain/needs-runner.ts';
import type { SessionIntent } from '#shared/ports/session-store.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { jobRow, waMessage } from '#test/contracts/rows.ts';
import type { EngineEvent } from '../engines/engine.ts';
import { ManualLease } from '../host/manual-lease.ts';
import type { SessionRunner } from './session-runner.ts';
import {
  createRunner,
  createWorld,
  journalOf,
  rowOf,
  started,
  statuses,
  stopped,
  stored,
  type World,
  working,
} from './session-runner-world.ts';

/** Rows and bus are in memory: after a turn of the event loop all has happened that no timer holds back. */
const nextTurn = () => new Promise(setImmediate);
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const QR = { value: 'secret', expiresAt: 5 };

describe('SessionRunner', () => {
  it('starts what is wanted to run and says in the row how it goes', async () => {
    const session = await started();
    expect(session.factory.told).toEqual(['start']);
    expect(await rowOf(session)).toMatchObject({ status: 'STARTING', hostId: 'host-1', epoch: 1 });
    session.factory.last.context.report({ status: 'SCAN_QR_CODE', qr: QR });
    await vi.waitFor(async () => expect(await rowOf(session)).toMatchObject({ status: 'SCAN_QR_CODE', qr: QR }));
    session.factory.last.work();
    await vi.waitFor(async () =>
      expect(await rowOf(session)).toMatchObject({ status: 'WORKING', qr: null, me: { id: '4915112345678@c.us' } }),
    );
    expect((await rowOf(session))?.statuses.map(({ status }) => status)).toEqual([
      'STARTING',
      'SCAN_QR_CODE',
      'WORKING',
    ]);
  });

  it('publishes a status only after the row has it', async () => {
    const session = await working();
    const gate = Promise.withResolvers<void>();
    const report = session.sessions.report.bind(session.sessions);
    vi.spyOn(session.sessions, 'report').mockImplementation(async (...args) => {
      if (args[3].status !== undefined) await gate.promise;
      return report(...args);
    });
    const { context } = session.factory.last;
    context.report({ status: 'STARTING', reason: 'connection-lost' });
    await vi.waitFor(() => expect(session.sessions.report).toHaveBeenCalled());
    // Events leave in their order, so one that was told too early would be there before this one.
    context.emit({ body: { event: 'presence.update', payload: { id: 'x', presences: [] } }, key: 'x', timestamp: 1 });
    await vi.waitFor(() => expect(session.bus.events.at(-1)?.event).toBe('presence.update'));
    expect(statuses(session)).toEqual(['STARTING', 'WORKING']);
    gate.resolve();
    await vi.waitFor(() => expect(session.told.at(-1)).toEqual({ event: 'STARTING', row: 'STARTING' }));
  });

  it('says what somebody should look at also while it is STARTING, once for each reason', async () => {
    const session = await started();
    const data = () =>
      session.bus.events.flatMap((event) => (event.event === 'session.status' ? [event.payload.data] : []));
    const distrust = { reason: 'server-identity', message: 'not WhatsApp' };
    const clock = { reason: 'server-identity-clock', message: 'check the clock' };
    for (const each of [distrust, distrust, clock]) {
      session.factory.last.context.report({ status: 'STARTING', ...each });
      await vi.waitFor(async () => expect(await rowOf(session)).toMatchObject({ statusData: each }));
    }
    await vi.waitFor(() => expect(data()).toEqual([null, distrust, clock]));
    expect(await rowOf(session)).toMatchObject({ status: 'STARTING', statusReason: 'server-identity-clock' });
    session.factory.last.work();
    await vi.waitFor(async () => expect(await rowOf(session)).toMatchObject({ status: 'WORKING', statusData: null }));
  });

  it('publishes SCAN_QR_CODE again with each QR code, and counts it once', async () => {
    const session = await started();
    for (const value of ['a', 'b']) {
      session.factory.last.context.report({ status: 'SCAN_QR_CODE', qr: { value, expiresAt: 1 } });
      await vi.waitFor(async () => expect((await rowOf(session))?.qr?.value).toBe(value));
    }
    session.factory.last.work();
    await vi.waitFor(() => expect(statuses(session)).toEqual(['STARTING', 'SCAN_QR_CODE', 'SCAN_QR_CODE', 'WORKING']));
    const last = session.bus.events.at(-1);
    expect(last?.event === 'session.status' && last.payload.statuses.map(({ status }) => status)).toEqual([
      'STARTING',
      'SCAN_QR_CODE',
      'WORKING',
    ]);
  });

  it('tells STARTING of a session that was created running', async () => {
    const session = await started({ status: 'STARTING', statuses: [{ status: 'STARTING', timestamp: 1 }] });
    await vi.waitFor(() => expect(statuses(session)).toEqual(['STARTING']));
    expect((await rowOf(session))?.statuses).toHaveLength(1);
  });

  it('writes a status once, however often it is told: after the death of the host before, twice until it works', async () => {
    const world = await createWorld({ status: 'WORKING', statuses: [{ status: 'WORKING', timestamp: 1 }] });
    const report = vi.spyOn(world.sessions, 'report');
    const { runner } = createRunner(world);
    runner.wake();
    await runner.settled();
    world.factory.last.context.report({ status: 'STARTING' });
    // So that a second writing would not be merged into the next one.
    await nextTurn();
    world.factory.last.work();
    await vi.waitFor(() => expect(statuses(world)).toEqual(['STARTING', 'WORKING']));
    expect(report.mock.calls.map(([, , , { status }]) => status)).toEqual(['STARTING', 'WORKING']);
  });

  it('stops, keeps the login, and is gone when everything is saved and published', async () => {
    const session = await working();
    await session.intend({ desired: 'STOPPED' });
    expect(session.factory.told).toEqual(['start', 'stop']);
    expect(await rowOf(session)).toMatchObject({ status: 'STOPPED', hostId: null });
    expect((await stored(session))?.get('creds')).toEqual(Uint8Array.of(7));
    expect(statuses(session)).toEqual(['STARTING', 'WORKING', 'STOPPED']);
    expect(session.gone).toHaveBeenCalledOnce();
  });

  it('gives the next engine what the last one has saved', async () => {
    const session = await working();
    await session.intend({ desired: 'STOPPED' });
    await session.sessions.intend('alpha', 'one', { desired: 'RUNNING' });
    const next = createRunner(session.world, new ManualLease('socket-00', 2));
    next.runner.wake();
    await next.runner.settled();
    expect(session.factory.engines).toHaveLength(2);
    expect(session.factory.last.context.state.get('creds')).toEqual(Uint8Array.of(7));
    await vi.waitFor(() => expect(statuses(session).at(-1)).toBe('STARTING'));
    const seqs = session.bus.events.map(({ seq }) => seq);
    expect([...seqs].sort((a, b) => a - b)).toEqual(seqs);
    expect(new Set(seqs).size).toBe(seqs.length);
  });

  it('restarts once for each new token', async () => {
    const session = await working();
    await session.intend({ restartToken: 'r1' });
    session.runner.wake();
    await session.runner.settled();
    expect(session.factory.told).toEqual(['start', 'stop', 'start']);
    expect(await rowOf(session)).toMatchObject({ restartDone: 'r1', status: 'STARTING' });
  });

  it.each<SessionIntent>([{ restartToken: 'one' }, { desired: 'STOPPED' }, { logoutToken: 'one' }])(
    'tells jobs that wait for its engine when that has stopped by %o, not before',
    async (intent) => {
      const session = await working();
      const engine = session.runner.engine;
      expect(engine?.stopped.aborted).toBe(false);
      await session.intend(intent);
      expect(engine?.stopped.aborted).toBe(true);
    },
  );

  it('restarts with a new configuration, but only when the engine sees a difference', async () => {
    const session = await working();
    await session.intend({ config: { metadata: { team: 'red' } } });
    expect(session.factory.told).toEqual(['start']);
    await session.intend({ config: { metadata: { team: 'red' }, debug: true } });
    expect(session.factory.told).toEqual(['start', 'stop', 'start']);
    expect(session.factory.last.context.config.debug).toBe(true);
    await vi.waitFor(() => expect(session.bus.events.at(-1)?.metadata).toEqual({ team: 'red' }));
  });

  it('lets the engine tell all it hears while a webhook names that, without a restart', async () => {
    const session = await working();
    const { context } = session.factory.last;
    const hooked = async (...events: string[]) => {
      await session.intend({ config: { webhooks: [{ url: 'https://a.example', events }] } });
      return context.wantsEngineEvents();
    };
    expect(context.wantsEngineEvents()).toBe(false);
    expect(await hooked('*')).toBe(false);
    expect(await hooked('message', 'engine.event')).toBe(true);
    expect(await hooked('message')).toBe(false);
    expect(session.factory.told).toEqual(['start']);
  });

  it('logs out: unlinks, forgets the login everywhere, starts over', async () => {
    const session = await working();
    const before = await journalOf(session);
    await session.intend({ logoutToken: 'l1', status: 'STARTING' });
    expect(session.factory.told).toEqual(['start', 'logout', 'start']);
    expect(await rowOf(session)).toMatchObject({ logoutDone: 'l1', me: null, status: 'STARTING' });
    expect(session.factory.last.context.state.get('creds')).toBeUndefined();
    expect([...((await stored(session))?.keys() ?? [])]).toEqual(['meta/seq']);
    const after = await journalOf(session);
    expect(before.length).toBeGreaterThan(1);
    expect(before.filter((record) => after.includes(record))).toEqual(['1 seal']);
    session.runner.wake();
    await session.runner.settled();
    expect(session.factory.told).toHaveLength(3);
  });

  it('leaves no checkpoint of a login that it was restored from', async () => {
    const session = await working();
    await session.intend({ desired: 'STOPPED' });
    const restoredFrom = (await rowOf(session))?.checkpoint;
    if (!restoredFrom) throw new Error('there was no checkpoint');
    await session.sessions.intend('alpha', 'one', { desired: 'RUNNING' });
    const next = createRunner(session.world, new ManualLease('socket-00', 2));
    next.runner.wake();
    await next.runner.settled();
    session.factory.last.work();
    await next.intend({ logoutToken: 'l1' });
    await expect(session.checkpoints.get(restoredFrom)).rejects.toThrow();
  });

  it('logs out a stopped session: connects to unlink it, says nothing of that, forgets the login', async () => {
    const session = await working();
    await session.intend({ desired: 'STOPPED' });
    await session.sessions.intend('alpha', 'one', { logoutToken: 'l1' });
    const next = createRunner(session.world, new ManualLease('socket-00', 2));
    session.factory.onStart = (engine) => engine.work();
    next.runner.wake();
    await next.runner.settled();
    expect(session.factory.told).toEqual(['start', 'stop', 'start', 'logout']);
    expect(statuses(session)).toEqual(['STARTING', 'WORKING', 'STOPPED']);
    expect(await rowOf(session)).toMatchObject({ logoutDone: 'l1', me: null, status: 'STOPPED' });
    expect((await rowOf(session))?.statusReason).toBeUndefined();
    expect([...((await stored(session))?.keys() ?? [])]).toEqual(['meta/seq']);
    expect(next.gone).toHaveBeenCalledOnce();
  });

  it('forgets the login also when it cannot be unlinked, and says so', async () => {
    const session = await working();
    await session.intend({ desired: 'STOPPED' });
    await session.sessions.intend('alpha', 'one', { logoutToken: 'l1' });
    const next = createRunner(session.world, new ManualLease('socket-00', 2));
    session.factory.onStart = ({ context }) => context.report({ status: 'FAILED', reason: 'banned', message: 'no' });
    next.runner.wake();
    await next.runner.settled();
    expect(session.factory.told).toEqual(['start', 'stop', 'start', 'stop']);
    expect(await rowOf(session)).toMatchObject({ status: 'STOPPED', statusReason: 'unlink-failed', me: null });
    expect([...((await stored(session))?.keys() ?? [])]).toEqual(['meta/seq']);
  });

  it('keeps the login when it is interrupted before it could unlink', async () => {
    const session = await working();
    await session.intend({ desired: 'STOPPED' });
    await session.sessions.intend('alpha', 'one', { desired: 'DELETED' });
    const next = createRunner(session.world, new ManualLease('socket-00', 2));
    next.runner.wake();
    await vi.waitFor(() => expect(session.factory.told).toEqual(['start', 'stop', 'start']));
    await next.runner.handOver();
    expect(session.factory.told).toEqual(['start', 'stop', 'start', 'stop']);
    expect((await stored(session))?.get('creds')).toEqual(Uint8Array.of(7));
    session.factory.onStart = (engine) => engine.work();
    const third = createRunner(session.world, new ManualLease('socket-00', 3));
    third.runner.wake();
    await third.runner.settled();
    expect(session.factory.told.slice(4)).toEqual(['start', 'logout']);
    expect(await rowOf(session)).toBeUndefined();
  });

  it('stops an engine that has failed before it says so', async () => {
    const session = await working();
    const gate = Promise.withResolvers<void>();
    vi.spyOn(session.factory.last, 'stop').mockReturnValue(gate.promise);
    session.factory.last.context.report({ status: 'FAILED', reason: 'banned', message: 'no' });
    session.runner.wake();
    await nextTurn();
    expect((await rowOf(session))?.status).toBe('WORKING');
    gate.resolve();
    await session.runner.settled();
    await vi.waitFor(async () =>
      expect(await rowOf(session)).toMatchObject({ status: 'FAILED', statusReason: 'banned' }),
    );
    expect(session.factory.told).toEqual(['start']);
  });

  it('deletes: unlinks, tells STOPPED, leaves nothing', async () => {
    const session = await working();
    const { eventLog } = session.world;
    const payload = waMessage({ id: 'AAAAA1' });
    await eventLog.append(
      ['alpha', 'beta'].map((name) => eventEnvelope({ event: 'message.any', payload }, { session: name })),
    );
    await session.intend({ desired: 'DELETED' });
    expect(session.factory.told).toEqual(['start', 'logout']);
    expect(statuses(session)).toEqual(['STARTING', 'WORKING', 'STOPPED']);
    expect(await rowOf(session)).toBeUndefined();
    expect(await journalOf(session)).toEqual([]);
    expect(await eventLog.read('alpha', 0, 10)).toEqual([]);
    expect(await eventLog.read('beta', 0, 10)).toHaveLength(1);
    expect(session.gone).toHaveBeenCalledOnce();
  });

  it.each([
    ['works', working],
    ['is stopped', stopped],
  ])(
    'ends the open jobs of a session that %s when it is deleted, and tells whose messages will never leave',
    async (_, begun) => {
      const session = await begun();
      const { jobs, bus } = session.world;
      const open = (jobId: string, fields: Partial<JobRow> = {}) =>
        jobs.create(jobRow({ jobId, messageId: `3EB0${jobId}`, openShard: 'socket-00', ...fields }));
      await open('waits', { notBefore: 4_000_000_000_000 });
      await open('left');
      await jobs.prepare('alpha', 'left', 1, { content: 'YQ==' });
      await open('asks', { command: { type: 'checkExists', phone: '4915100000001' }, messageId: undefined });
      await open('sent');
      await jobs.advance('alpha', 'sent', 1, { state: 'SENT' });
      await open('others', { session: 'beta' });
      await session.intend({ desired: 'DELETED' });
      expect(await rowOf(session)).toBeUndefined();
      const states = async (name: string, ...ids: readonly string[]) =>
        await Promise.all(
          ids.map(async (id) => (await jobs.get(name, id))?.error?.code ?? (await jobs.get(name, id))?.state),
        );
      expect(await states('alpha', 'waits', 'left', 'asks', 'sent')).toEqual([
        'session-deleted',
        'session-deleted',
        'session-deleted',
        'SENT',
      ]);
      expect(await states('beta', 'others')).toEqual(['QUEUED']);
      const acks = bus.events.flatMap((event) => (event.event === 'message.ack' ? [event.payload] : []));
      expect(acks.map(({ id, ack }) => [id.split('_').at(-1), ack])).toEqual([
        ['3EB0waits', -1],
        ['3EB0left', -1],
      ]);
    },
  );

  describe('deletes media with the session', () => {
    const keys = ['out/alpha/job-1/a', 'files/alpha/3EB0.png', 'events/alpha/evt_1.json'];
    const others = ['files/alphabet/3EB0.png', 'out/beta/job-1/a'];
    const withMedia = async () => {
      const session = await working();
      for (const key of [...keys, ...others]) await session.world.media.put(key, Uint8Array.of(1), 'image/png');
      return session;
    };
    const left = async ({ media }: World) => {
      const found = await Promise.all(
        [...keys, ...others].map(async (key) => ((await media.exists(key)) ? [key] : [])),
      );
      return found.flat();
    };

    it('of every kind, and no other session’s', async () => {
      const session = await withMedia();
      await session.intend({ desired: 'DELETED' });
      expect(await left(session.world)).toEqual(others);
      expect(await rowOf(session)).toBeUndefined();
    });

    it('page by page, and the name is not free before the last', async () => {
      const session = await withMedia();
      for (let file = 0; file < 2_500; file += 1) {
        await session.world.media.put(`files/alpha/${file}.png`, Uint8Array.of(1), 'image/png');
      }
      const rows: (string | undefined)[] = [];
      const deleteSome = session.world.media.deleteSome.bind(session.world.media);
      vi.spyOn(session.world.media, 'deleteSome').mockImplementation(async (prefix) => {
        rows.push((await rowOf(session))?.desired);
        // A page whose answer is lost is asked for again.
        if (rows.length === 2) throw new DependencyError('no answer');
        return deleteSome(prefix);
      });
      await session.intend({ desired: 'DELETED' });
      expect(rows).toEqual(Array.from({ length: 6 }, () => 'DELETED'));
      expect(await left(session.world)).toEqual(others);
      expect(await session.world.media.exists('files/alpha/2499.png')).toBe(false);
    });

    it('and leaves the rest to the next owner when it is one no longer', async () => {
      const session = await withMedia();
      const deleteSome = session.world.media.deleteSome.bind(session.world.media);
      const spy = vi.spyOn(session.world.media, 'deleteSome').mockImplementationOnce(async (prefix) => {
        const more = await deleteSome(prefix);
        session.lease.end();
        return more;
      });
      await session.intend({ desired: 'DELETED' });
      expect(spy).toHaveBeenCalledTimes(1);
      expect(await left(session.world)).toEqual([...keys.slice(1), ...others]);
      const next = createRunner(session.world, new ManualLease('socket-00', 2));
      session.factory.onStart = (engine) => engine.work();
      next.runner.wake();
      await next.runner.settled();
      expect(await left(session.world)).toEqual(others);
      expect(await rowOf(session)).toBeUndefined();
    });
  });

  it('fails without an engine of that name, and says why', async () => {
    const session = await started({ engine: 'GOWS' });
    expect(await rowOf(session)).toMatchObject({ status: 'FAILED', statusReason: 'engine-not-available' });
    await vi.waitFor(() => expect(statuses(session)).toEqual(['FAILED']));
  });

  it('fails when the engine throws, and stays so until somebody wants a start', async () => {
    const world = await createWorld();
    world.factory.beforeCreate = () => {
      throw new Error('no memory');
    };
    const { runner, intend } = createRunner(world);
    runner.wake();
    await runner.settled();
    expect(await rowOf(world)).toMatchObject({ status: 'FAILED', statusReason: 'engine-crashed' });
    world.factory.beforeCreate = () => {};
    runner.wake();
    await runner.settled();
    expect(world.factory.told).toEqual([]);
    await intend({ status: 'STARTING' });
    expect(world.factory.told).toEqual(['start']);
    expect(await rowOf(world)).toMatchObject({ status: 'STARTING' });
    expect((await rowOf(world))?.statusReason).toBeUndefined();
  });

  it('forgets the login when WhatsApp has ended it', async () => {
    const session = await working();
    session.factory.last.context.report({ status: 'FAILED', reason: 'logged-out', message: 'unlinked' });
    await vi.waitFor(async () =>
      expect(await rowOf(session)).toMatchObject({ status: 'FAILED', statusReason: 'logged-out', me: null }),
    );
    await vi.waitFor(async () => expect([...((await stored(session))?.keys() ?? [])]).toEqual(['meta/seq']));
    expect(session.runner.engine).toBeUndefined();
    session.runner.wake();
    await session.runner.settled();
    expect(session.factory.told).toEqual(['start', 'stop']);
  });

  it('corrects a status that the API has written over a session that runs', async () => {
    const session = await working();
    await session.intend({ status: 'STARTING' });
    await vi.waitFor(async () => expect((await rowOf(session))?.status).toBe('WORKING'));
    expect(statuses(session)).toEqual(['STARTING', 'WORKING']);
  });

  it.each([
    { status: 'FAILED', desired: 'RUNNING' },
    { status: 'STOPPED', desired: 'STOPPED' },
  ] as const)('leaves $status to the next owner to tell, under one id, while the bus has not taken it', async (end) => {
    const session = await working();
    session.bus.refuse('call');
    if (end.status === 'FAILED') {
      session.factory.last.context.report({ status: 'FAILED', reason: 'banned', message: 'no' });
    } else {
      await session.world.sessions.intend('alpha', 'one', { desired: 'STOPPED' });
      session.runner.wake();
    }
    await vi.waitFor(async () => expect(await rowOf(session)).toMatchObject({ ...end, untold: expect.any(Number) }));
    session.lease.end();
    session.bus.refuse('none');
    const row = await rowOf(session);
    expect(row && needsRunner(row)).toBe(true);
    const next = createRunner(session.world, new ManualLease('socket-00', 2));
    next.runner.wake();
    await vi.waitFor(async () => expect(await rowOf(session)).toMatchObject({ ...end, untold: null }));
    expect(statuses(session)).toEqual(['STARTING', 'WORKING', end.status]);
    const id = eventId(
      { name: 'alpha', incarnation: 'one' },
      'session.status',
      row?.untold ?? 0,
      `${end.status}:${row?.untold}`,
    );
    expect(session.bus.events.at(-1)).toMatchObject({ id, payload: { status: end.status, data: row?.statusData } });
    const last = createRunner(session.world, new ManualLease('socket-00', 3));
    last.runner.wake();
    await last.runner.settled();
    expect(statuses(session)).toHaveLength(3);
  });

  it('tells of a job of a session that is stopped, and only of its own', async () => {
    const session = await working();
    await session.intend({ desired: 'STOPPED' });
    const next = createRunner(session.world, new ManualLease('socket-00', 2));
    const event = (id: string): EngineEvent => ({
      body: { event: 'presence.update', payload: { id, presences: [] } },
      key: id,
      timestamp: 1,
    });
    const published: string[] = [];
    next.runner.tell(event('other'), 'zero', () => published.push('other'));
    next.runner.tell(event('own'), 'one', () => published.push('own'));
    await next.runner.settled();
    expect(published).toEqual(['other', 'own']);
    const told = session.bus.events.flatMap((envelope) => (envelope.event === 'presence.update' ? [envelope] : []));
    expect(told.map(({ payload, me }) => [payload.id, me?.id])).toEqual([['own', '4915112345678@c.us']]);
    expect(session.factory.told).toEqual(['start', 'stop']);
    expect(next.gone).toHaveBeenCalledOnce();
  });

  it('ignores what an engine says after it was stopped', async () => {
    const session = await working();
    const old = session.factory.last;
    await session.intend({ restartToken: 'r1' });
    old.context.report({ status: 'FAILED', reason: 'conflict', message: 'late' });
    // Looks at the row only after a failure is in it.
    session.runner.wake();
    await session.runner.settled();
    expect((await rowOf(session))?.status).toBe('STARTING');
    expect(session.runner.engine?.stopped.aborted).toBe(false);
  });

  it('hands over: stops, saves, tells that it starts again elsewhere', async () => {
    const session = await working();
    session.factory.last.context.state.append([{ key: 'creds', value: Uint8Array.of(8) }]);
    await session.runner.handOver();
    expect(session.factory.told).toEqual(['start', 'stop']);
    expect(await rowOf(session)).toMatchObject({ status: 'STARTING', statusReason: 'hand-over', hostId: null });
    expect((await stored(session))?.get('creds')).toEqual(Uint8Array.of(8));
    expect(statuses(session)).toEqual(['STARTING', 'WORKING', 'STARTING']);
    session.runner.wake();
    await session.runner.settled();
    expect(session.factory.told).toEqual(['start', 'stop']);
  });

  it('asks whose the shard is until it gets an answer', async () => {
    const { lease, factory } = await working();
    const { context } = factory.last;
    const confirm = vi.spyOn(lease, 'confirm').mockRejectedValueOnce(new DependencyError('no answer'));
    expect(await context.confirmOwned()).toBe(true);
    expect(confirm).toHaveBeenCalledTimes(2);
    confirm.mockRejectedValueOnce(new NotOwnerError('another has it'));
    expect(await context.confirmOwned()).toBe(false);
  });

  it('writes and publishes nothing after the lease has ended', async () => {
    const session = await working();
    const before = await rowOf(session);
    const published = [...session.bus.events];
    session.lease.end();
    await session.runner.abort();
    const { context } = session.factory.last;
    expect(() => context.assertOwned()).toThrow();
    expect(await context.confirmOwned()).toBe(false);
    context.state.append([{ key: 'creds', value: Uint8Array.of(9) }]);
    await expect(context.state.durable(context.state.head)).rejects.toThrow();
    context.report({ status: 'FAILED', reason: 'conflict', message: 'late' });
    context.emit({ body: { event: 'presence.update', payload: { id: 'x', presences: [] } }, key: 'x', timestamp: 1 });
    await nextTurn();
    expect(await rowOf(session)).toEqual(before);
    expect(session.bus.events).toEqual(published);
  });

  it('stops when another host has written under a higher epoch', async () => {
    const session = await working();
    await session.sessions.report('alpha', 'one', 2, { hostId: 'host-2' });
    session.factory.last.context.report({ status: 'STARTING', reason: 'connection-lost' });
    await vi.waitFor(() => expect(session.gone).toHaveBeenCalledOnce());
    expect(session.factory.told).toEqual(['start', 'stop']);
    expect(await rowOf(session)).toMatchObject({ status: 'WORKING', hostId: 'host-2' });
  });

  it('lets go of a session whose row is gone', async () => {
    const session = await working();
    await session.sessions.remove('alpha', 'one', 1);
    session.runner.wake();
    await session.runner.settled();
    expect(session.factory.told).toEqual(['start', 'stop']);
    expect(session.gone).toHaveBeenCalledOnce();
  });

  it('remembers what it has sent', async () => {
    const session = await working();
    session.runner.sent.remember('3EB0AA', Uint8Array.of(1));
    expect(await session.factory.last.context.sentContent('3EB0AA')).toEqual(Uint8Array.of(1));
    expect(await session.factory.last.context.sentContent('3EB0BB')).toBeUndefined();
  });
});

describe('SessionRunner and pacing', () => {
  const send = sendCommandSchema.parse({ type: 'sendText', chatId: '4915187654321@c.us', text: 'hello' });
  const leave = ({ runner }: { runner: SessionRunner }) => {
    const turn = runner.pacer?.turn(send, false);
    if (turn?.kind === 'now') turn.leave();
    return turn?.kind;
  };

  it('says in the row when the next send may leave, and another host goes on from there', async () => {
    const session = await working({ config: { pacing: { profile: 'safe' } } });
    const before = Date.now();
    expect(leave(session)).toBe('now');
    expect(leave(session)).toBe('later');
    await vi.waitFor(async () => expect((await rowOf(session))?.nextSendAt).toBeGreaterThanOrEqual(before + 5_000));
    await session.runner.handOver();
    const next = createRunner(session.world, new ManualLease('socket-00', 2));
    next.runner.wake();
    await next.runner.settled();
    session.factory.last.work();
    await vi.waitFor(() => expect(next.runner.status).toBe('WORKING'));
    expect(leave(next)).toBe('later');
  });

  it('hears who writes, and takes new rules without a restart', async () => {
    const session = await working({ config: { pacing: { profile: 'safe' } } });
    leave(session);
    const sooner = vi.fn();
    expect(leave(session)).toBe('later');
    session.runner.pacer?.onceSooner(sooner);
    const { from, to } = { from: '4915187654321@c.us', to: '4915112345678@c.us' };
    const payload = { ...waMessage({ id: '3EB0', chatId: from, timestamp: Date.now() / 1000 }), to };
    session.factory.last.context.emit({ body: { event: 'message', payload }, key: 'm1', timestamp: Date.now() });
    expect(sooner).toHaveBeenCalledTimes(1);
    session.runner.pacer?.onceSooner(sooner);
    await session.intend({ config: { pacing: { profile: 'off' } } });
    expect(sooner).toHaveBeenCalledTimes(2);
    expect(leave(session)).toBeUndefined();
    expect(session.factory.told).toEqual(['start']);
  });

  it('tells once of a restriction, in the status it is in', async () => {
    const session = await working({ config: { pacing: { profile: 'safe' } } });
    session.runner.restricted('nack-463', TRACEPARENT);
    session.runner.restricted('nack-463', TRACEPARENT);
    const data = { code: 'nack-463', reachoutTimelock: { isActive: true, timeEnforcementEnds: expect.any(Number) } };
    await vi.waitFor(async () => expect(await rowOf(session)).toMatchObject({ status: 'WORKING', statusData: data }));
    const told = () => session.bus.events.filter(({ event }) => event === 'session.status');
    await vi.waitFor(() =>
      expect(told().at(-1)).toMatchObject({
        payload: { name: 'alpha', status: 'WORKING', data },
        traceparent: TRACEPARENT,
      }),
    );
    expect(told().filter(({ payload }) => 'data' in payload && payload.data !== null)).toHaveLength(1);
  });

  it('tells of a pause because too little is delivered, and that it is over', async () => {
    const session = await working({ config: { pacing: { profile: 'safe' } } });
    const time = { now: Date.now() };
    const clock = vi.spyOn(systemClock, 'now').mockImplementation(() => time.now);
    const sent = (id: string) => {
      const payload = { ...waMessage({ id, fromMe: true }), source: 'api' as const };
      session.factory.last.context.emit({ body: { event: 'message.any', payload }, key: id, timestamp: time.now });
    };
    const data = () =>
      session.bus.events.flatMap(({ event, payload }) => (event === 'session.status' ? [payload.data] : [])).at(-1);
    for (let count = 0; count < 50; count += 1) sent(`3EB0AAAA${count}`);
    time.now += 3_600_000;
    sent('3EB0AAAALAST');
    const timeEnforcementEnds = Math.ceil(time.now / 1000) + 86_400;
    const begun = { isActive: true, delivered: 0, sends: 50, timeEnforcementEnds };
    await vi.waitFor(() => expect(data()).toEqual({ deliveryBrake: begun }));
    time.now += 86_400_000;
    session.factory.last.context.report({ status: 'STARTING', reason: 'connection-lost' });
    session.factory.last.work();
    await vi.waitFor(() => expect(data()).toEqual({ deliveryBrake: { isActive: false, timeEnforcementEnds } }));
    clock.mockRestore();
  });

  describe('tells once that a restriction is over', () => {
    const DAY = 86_400_000;
    const over = (world: World) =>
      world.bus.events.flatMap((envelope) => {
        if (envelope.event !== 'session.status') return [];
        const { data } = envelope.payload;
        const isOver = JSON.stringify(data).includes('"isActive":false');
        return isOver ? [{ id: envelope.id, seq: envelope.seq, data }] : [];
      });
    const restricted = async () => {
      const session = await working({ config: { pacing: { profile: 'safe' } } });
      const time = { now: Date.now() };
      vi.spyOn(systemClock, 'now').mockImplementation(() => time.now);
      session.runner.restricted('nack-463', TRACEPARENT);
      await vi.waitFor(() =>
        expect(session.bus.events.at(-1)).toMatchObject({ payload: { data: { code: 'nack-463' } } }),
      );
      return { ...session, time };
    };
    /** Another host goes on with the session; its engine works at once. */
    const nextHost = async (world: World, epoch: number) => {
      const next = createRunner(world, new ManualLease('socket-00', epoch));
      world.factory.onStart = (engine) => engine.work();
      next.runner.wake();
      await vi.waitFor(() => expect(next.runner.status).toBe('WORKING'));
      return next;
    };
    afterEach(() => {
      vi.useRealTimers();
      vi.restoreAllMocks();
    });

    it('when its time comes', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const session = await restricted();
      session.time.now += DAY - 1;
      vi.advanceTimersByTime(DAY - 1);
      await nextTurn();
      expect(over(session.world)).toEqual([]);
      session.time.now += 1;
      vi.advanceTimersByTime(1);
      await vi.waitFor(() => expect(over(session.world)).toHaveLength(1));
      const timelock = { isActive: false, timeEnforcementEnds: Math.ceil(session.time.now / 1000) };
      expect(over(session.world)[0]?.data).toMatchObject({ reachoutTimelock: timelock });
      session.factory.last.context.report({ status: 'STARTING', reason: 'connection-lost' });
      session.factory.last.work();
      await session.runner.handOver();
      const next = await nextHost(session.world, 2);
      await next.runner.handOver();
      expect(over(session.world)).toHaveLength(1);
    });

    it('by the host that has the session then, also when it came after the end', async () => {
      const session = await restricted();
      await session.runner.handOver();
      session.time.now += 2 * DAY;
      const next = await nextHost(session.world, 2);
      await vi.waitFor(() => expect(over(session.world)).toHaveLength(1));
      await next.runner.handOver();
      const third = await nextHost(session.world, 3);
      await third.runner.handOver();
      expect(over(session.world)).toHaveLength(1);
    });

    it('again, under the same id, where a host died before the bus had it', async () => {
      const session = await restricted();
      await session.runner.handOver();
      session.time.now += 2 * DAY;
      session.bus.refuse('call');
      const next = await nextHost(session.world, 2);
      const lost = vi.spyOn(session.bus, 'publish');
      await vi.waitFor(() => expect(JSON.stringify(lost.mock.calls)).toContain('"isActive":false'));
      const tried = lost.mock.calls.flat(2).find((envelope) => JSON.stringify(envelope).includes('"isActive":false'));
      await next.runner.abort();
      next.lease.end();
      session.time.now += 5_000;
      const third = await nextHost(session.world, 3);
      session.factory.last.context.report({ status: 'STARTING', reason: 'connection-lost' });
      session.factory.last.work();
      session.bus.refuse('none');
      await third.runner.handOver();
      expect(over(session.world).map(({ id }) => id)).toEqual([tried?.id]);
    });

    it('and not while another one is on', async () => {
      const session = await restricted();
      session.time.now += DAY + 1;
      session.runner.restricted('nack-463', TRACEPARENT);
      session.factory.last.context.report({ status: 'STARTING', reason: 'connection-lost' });
      session.factory.last.work();
      await session.runner.handOver();
      expect(over(session.world)).toEqual([]);
    });
  });
});
