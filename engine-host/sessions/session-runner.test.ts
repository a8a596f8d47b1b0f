import { describe, expect, it, vi } from 'vitest';
import { sendCommandSchema } from '#shared/contracts/commands.ts';
import { DependencyError, NotOwnerError } from '#shared/domain/errors.ts';
import { eventId } from '#shared/domain/event-id.ts';
import { needsRunner } from '#shared/domain/needs-runner.ts';
import type { SessionIntent } from '#shared/ports/session-store.ts';
import type { EngineEvent } from '../engines/engine.ts';
import { ManualLease } from '../host/manual-lease.ts';
import { createRunner, createWorld, rowOf, started, statuses, stored, working } from './session-runner-world.ts';

/** Rows and bus are in memory: after a turn of the event loop all has happened that no timer holds back. */
const nextTurn = () => new Promise(setImmediate);
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
    const { chatId } = sendCommandSchema.parse({ type: 'sendText', chatId: '4915187654321@c.us', text: 'hello' });
    session.runner.sent.remember('3EB0AA', chatId, Uint8Array.of(1));
    const { context } = session.factory.last;
    expect(await context.contentOf('3EB0AA', {})).toEqual(Uint8Array.of(1));
    expect(await context.contentOf('3EB0BB', {})).toBeUndefined();
    expect(await context.sentContent('3EB0AA', [chatId])).toEqual(Uint8Array.of(1));
    expect(await context.sentContent('3EB0AA', [])).toBeUndefined();
  });
});
