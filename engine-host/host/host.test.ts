import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LocalDataKeys } from '#shared/adapters/local-data-keys.ts';
import { MemoryCheckpointStore } from '#shared/adapters/memory/memory-checkpoint-store.ts';
import { MemoryEventBus } from '#shared/adapters/memory/memory-event-bus.ts';
import { MemoryEventLog } from '#shared/adapters/memory/memory-event-log.ts';
import { MemoryJobStore } from '#shared/adapters/memory/memory-job-store.ts';
import { MemoryJournalBodyStore } from '#shared/adapters/memory/memory-journal-body-store.ts';
import { MemoryJournalStore } from '#shared/adapters/memory/memory-journal-store.ts';
import { MemoryMediaStore } from '#shared/adapters/memory/memory-media-store.ts';
import { MemoryMessageStore } from '#shared/adapters/memory/memory-message-store.ts';
import { MemoryOwnershipStore } from '#shared/adapters/memory/memory-ownership-store.ts';
import { MemorySessionStore } from '#shared/adapters/memory/memory-session-store.ts';
import { MemoryShardQueue } from '#shared/adapters/memory/memory-shard-queue.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { commandSchema } from '#shared/contracts/commands.ts';
import type { CommandHandlers } from '../engines/engine.ts';
import { FakeEngineFactory } from '../sessions/fake-engine.ts';
import { jobRow, sessionRow } from '../sessions/row-fixtures.ts';
import { readHostConfig } from './config.ts';
import { InThreadHeartbeat } from './heartbeat/in-thread-heartbeat.ts';
import { type Host, startHost } from './host.ts';
import { sleep } from './sleep.ts';

const hosts: Host[] = [];
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.drain()));
});

function createCloud() {
  return {
    ownership: new MemoryOwnershipStore(),
    sessions: new MemorySessionStore(),
    jobs: new MemoryJobStore(),
    queue: new MemoryShardQueue(),
    checkpoints: new MemoryCheckpointStore(),
    journal: new MemoryJournalStore(),
    journalBodies: new MemoryJournalBodyStore(),
    dataKeys: new LocalDataKeys(new Uint8Array(32)),
    media: new MemoryMediaStore(),
    eventLog: new MemoryEventLog(),
    bus: new MemoryEventBus(),
    messages: new MemoryMessageStore(),
    protection: { protect: vi.fn(async () => {}), unprotect: vi.fn(async () => {}) },
  };
}
type Cloud = ReturnType<typeof createCloud>;

async function launch(cloud: Cloud, hostId: string, handlers: CommandHandlers = {}) {
  const factory = new FakeEngineFactory();
  factory.handlers = handlers;
  const config = readHostConfig({
    HOST_ID: hostId,
    STATE_KEY_FILE: 'none',
    PUBLIC_URL: 'https://wa.example.com',
    SHARD_COUNT: '4',
    OBSERVE_MS: '5',
    SCAN_MS: '20',
    JOB_DRAIN_MS: '500',
    PACING_DEFAULT_PROFILE: 'off',
  });
  const host = await startHost({
    ...cloud,
    config,
    version: '1.0.0',
    clock: systemClock,
    heartbeat: new InThreadHeartbeat({ store: cloud.ownership, clock: systemClock, every: config.timings.heartbeat }),
    logger: pino({ level: 'silent' }),
    remoteFiles: { open: () => Promise.reject(new Error('no network in tests')) },
    readModels: [cloud.messages],
    engines: [factory],
    taskProtection: cloud.protection,
  });
  hosts.push(host);
  return { host, factory };
}

async function send(cloud: Cloud, jobId: string, command = jobRow().command, incarnation = 'one') {
  await cloud.jobs.create(jobRow({ jobId, command, incarnation }));
  await cloud.queue.send('socket-00', { kind: 'job', session: 'alpha', jobId }, 'sends', jobId);
}

const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 10_000, interval: 5 });
const stateOf = async (cloud: Cloud, jobId: string) => (await cloud.jobs.get('alpha', jobId))?.state;
const sent: CommandHandlers = { sendText: async () => ({ kind: 'sent', timestamp: 1 }) };

describe('host', () => {
  it('finds its sessions, sends what waits as soon as they work, and hears of changes', async () => {
    const cloud = createCloud();
    await cloud.sessions.create(sessionRow());
    const postpone = vi.spyOn(cloud.queue, 'postpone');
    const { factory } = await launch(cloud, 'a', sent);
    await until(() => expect(factory.told).toEqual(['start']));
    await send(cloud, 'early');
    await until(() => expect(postpone).toHaveBeenCalled());
    expect(await stateOf(cloud, 'early')).toBe('QUEUED');
    factory.last.work();
    await until(async () => expect(await stateOf(cloud, 'early')).toBe('SENT'));
    await send(cloud, 'later');
    await until(async () => expect(await stateOf(cloud, 'later')).toBe('SENT'));
    await cloud.sessions.intend('alpha', 'one', { desired: 'STOPPED' });
    await cloud.queue.send('socket-00', { kind: 'session-changed', session: 'alpha' }, 'control', 'change-1');
    await until(async () => expect(await cloud.sessions.get('alpha')).toMatchObject({ status: 'STOPPED' }));
    await until(() => expect(cloud.queue.size('socket-00')).toBe(0));
  });

  it('tells what it has: sessions, those that are connected, and what all of them weigh', async () => {
    const cloud = createCloud();
    await cloud.sessions.create(sessionRow());
    await cloud.sessions.create(sessionRow({ name: 'beta', engine: 'GOWS', shard: 'socket-01' }));
    await cloud.sessions.create(sessionRow({ name: 'idle', desired: 'STOPPED' }));
    const { host, factory } = await launch(cloud, 'a');
    await until(() => expect(factory.told).toEqual(['start']));
    factory.last.work();
    await until(() => expect(host.figures).toMatchObject({ sessions: 2, working: 1, load: 1.7, registrations: 1 }));
  });

  it('sends what was accepted while stopped as soon as the session works', async () => {
    const cloud = createCloud();
    await cloud.sessions.create(sessionRow({ desired: 'STOPPED' }));
    const postpone = vi.spyOn(cloud.queue, 'postpone');
    const { factory } = await launch(cloud, 'a', sent);
    await send(cloud, 'early');
    // Long enough that only a call back can be in time.
    await until(() => expect(postpone).toHaveBeenCalledTimes(2));
    expect(factory.told).toEqual([]);
    await cloud.sessions.intend('alpha', 'one', { desired: 'RUNNING' });
    await until(() => expect(factory.told).toEqual(['start']));
    const waited = postpone.mock.calls.at(-1);
    factory.last.work();
    await until(async () => expect(await stateOf(cloud, 'early')).toBe('SENT'));
    expect(postpone.mock.calls.slice(2).map(([, receipt, seconds]) => [receipt, seconds])).toContainEqual([
      waited?.[1],
      0,
    ]);
  });

  it('tells of what has expired while its session is stopped and others of its sends wait', async () => {
    const cloud = createCloud();
    await cloud.sessions.create(sessionRow({ desired: 'STOPPED' }));
    const postpone = vi.spyOn(cloud.queue, 'postpone');
    const { factory } = await launch(cloud, 'a');
    for (const jobId of ['waits', 'behind']) await send(cloud, jobId);
    await until(() => expect(postpone).toHaveBeenCalled());
    await cloud.jobs.create(jobRow({ jobId: 'late' }));
    const end = { state: 'EXPIRED', error: { code: 'expired', message: 'It could not leave in time' } } as const;
    await cloud.jobs.endEarly('alpha', 'late', end);
    await cloud.queue.send('socket-00', { kind: 'job', session: 'alpha', jobId: 'late', ended: true }, 'ended', 'late');
    const told = { event: 'message.ack', payload: { ack: -1, _data: { jobId: 'late', error: end.error } } };
    await until(() => expect(cloud.bus.events).toMatchObject([told]));
    await until(() => expect(cloud.queue.size('socket-00')).toBe(2));
    for (const jobId of ['waits', 'behind']) expect(await stateOf(cloud, jobId)).toBe('QUEUED');
    expect(factory.told).toEqual([]);
  });

  it('sends nothing that was accepted for an earlier session of the same name', async () => {
    const cloud = createCloud();
    await cloud.sessions.create(sessionRow());
    const { factory } = await launch(cloud, 'a', sent);
    await until(() => expect(factory.told).toEqual(['start']));
    factory.last.work();
    await until(async () => expect((await cloud.sessions.get('alpha'))?.status).toBe('WORKING'));
    await cloud.sessions.remove('alpha', 'one', 9);
    await cloud.sessions.create(sessionRow({ incarnation: 'two' }));
    await send(cloud, 'new', undefined, 'two');
    await until(() => expect(factory.told).toEqual(['start', 'stop', 'start']));
    factory.last.work();
    await until(async () => expect(await stateOf(cloud, 'new')).toBe('SENT'));
    await send(cloud, 'old', undefined, 'one');
    await until(async () =>
      expect(await cloud.jobs.get('alpha', 'old')).toMatchObject({
        state: 'FAILED',
        error: { code: 'session-not-found' },
      }),
    );
  });

  it('notices a change whose message was lost', async () => {
    const cloud = createCloud();
    const { factory } = await launch(cloud, 'a');
    await cloud.sessions.create(sessionRow());
    await until(() => expect(factory.told).toEqual(['start']));
    await cloud.sessions.intend('alpha', 'one', { desired: 'STOPPED' });
    await until(() => expect(factory.told).toEqual(['start', 'stop']));
  });

  it('drains: the running send ends, the engine stops, state is saved, another host goes on', async () => {
    const cloud = createCloud();
    await cloud.sessions.create(sessionRow());
    const gate = Promise.withResolvers<void>();
    let running = 0;
    const first = await launch(cloud, 'a', {
      sendText: async () => {
        running += 1;
        await gate.promise;
        return { kind: 'sent', timestamp: 1 };
      },
    });
    await until(() => expect(first.factory.told).toEqual(['start']));
    first.factory.last.context.state.append([{ key: 'creds', value: Uint8Array.of(7) }]);
    first.factory.last.work();
    await until(async () => expect((await cloud.sessions.get('alpha'))?.status).toBe('WORKING'));
    await send(cloud, 'one');
    await send(cloud, 'two');
    await until(() => expect(running).toBe(1));
    const drained = first.host.drain();
    gate.resolve();
    await drained;
    expect(cloud.protection.protect).not.toHaveBeenCalled();
    await first.host.closed;
    expect(first.factory.told).toEqual(['start', 'stop']);
    expect(running).toBe(1);
    expect(await stateOf(cloud, 'one')).toBe('SENT');
    expect(await stateOf(cloud, 'two')).toBe('QUEUED');
    expect((await cloud.ownership.shards()).map(({ owner }) => owner)).toEqual([null, null, null, null]);
    expect(await cloud.ownership.hosts()).toEqual([]);

    const second = await launch(cloud, 'b', sent);
    await until(() => expect(second.factory.told).toEqual(['start']));
    expect(second.factory.last.context.state.get('creds')).toEqual(Uint8Array.of(7));
    second.factory.last.work();
    await until(async () => expect(await stateOf(cloud, 'two')).toBe('SENT'));
    const seqs = cloud.bus.events.map(({ seq }) => seq);
    expect(new Set(seqs).size).toBe(seqs.length);
    expect([...seqs].sort((a, b) => a - b)).toEqual(seqs);
  });

  it('frees the lane of a send that hangs when its session restarts', async () => {
    const cloud = createCloud();
    await cloud.sessions.create(sessionRow());
    const begun: string[] = [];
    const { factory } = await launch(cloud, 'a', {
      sendText: async (_command, { jobId }) => {
        begun.push(jobId);
        return begun.length === 1 ? new Promise<never>(() => {}) : { kind: 'sent', timestamp: 1 };
      },
    });
    await until(() => expect(factory.told).toEqual(['start']));
    factory.last.work();
    await send(cloud, 'one');
    await send(cloud, 'two');
    await until(() => expect(begun).toEqual(['one']));
    await cloud.sessions.intend('alpha', 'one', { restartToken: 'r1' });
    await until(() => expect(factory.told).toEqual(['start', 'stop', 'start']));
    factory.last.work();
    await until(async () => expect(await stateOf(cloud, 'two')).toBe('SENT'));
    expect(begun).toEqual(['one', 'one', 'two']);
  });

  it('holds nothing against a send with media that hangs when it drains, and gives it back', async () => {
    const cloud = createCloud();
    await cloud.sessions.create(sessionRow());
    const picture = { kind: 'url', url: 'https://example.com/a.jpg' };
    const command = commandSchema.parse({ type: 'sendImage', chatId: '4915187654321@c.us', media: picture });
    const sendImage = vi.fn(() => new Promise<never>(() => {}));
    const first = await launch(cloud, 'a', { sendImage });
    await until(() => expect(first.factory.told).toEqual(['start']));
    first.factory.last.work();
    await cloud.jobs.create(jobRow({ jobId: 'one', command, lostTries: 1 }));
    await cloud.queue.send('socket-00', { kind: 'job', session: 'alpha', jobId: 'one' }, 'sends', 'one');
    await until(() => expect(sendImage).toHaveBeenCalled());
    expect(await cloud.jobs.get('alpha', 'one')).toMatchObject({ lostTries: 2 });
    const note = cloud.jobs.noteLostTries.bind(cloud.jobs);
    vi.spyOn(cloud.jobs, 'noteLostTries').mockImplementation(async (...given) => {
      // A store that is slow: nothing is waited for here, the host has to wait for it.
      await sleep(50);
      return note(...given);
    });
    await first.host.drain();
    expect(await cloud.jobs.get('alpha', 'one')).toMatchObject({ state: 'QUEUED', lostTries: 1 });
    expect(await cloud.queue.receive('socket-00', AbortSignal.timeout(5_000))).toHaveLength(1);
  });

  it('is protected from scale-in while it shows a QR code, until it has drained', async () => {
    const cloud = createCloud();
    await cloud.sessions.create(sessionRow());
    const { host, factory } = await launch(cloud, 'a');
    await until(() => expect(factory.told).toEqual(['start']));
    factory.last.context.report({ status: 'SCAN_QR_CODE', qr: { value: '2@alpha', expiresAt: Date.now() + 60_000 } });
    await until(() => expect(cloud.protection.protect).toHaveBeenCalledOnce());
    expect(cloud.protection.unprotect).not.toHaveBeenCalled();
    await host.drain();
    expect(cloud.protection.unprotect).toHaveBeenCalledOnce();
  });

  it('shares with a second host; every session runs once', async () => {
    const cloud = createCloud();
    for (const index of [0, 1, 2, 3])
      await cloud.sessions.create(sessionRow({ name: `s${index}`, shard: `socket-0${index}` }));
    const first = await launch(cloud, 'a');
    await until(() => expect(first.factory.told).toHaveLength(4));
    const second = await launch(cloud, 'b');
    await until(() => expect([first.host.shards.length, second.host.shards.length]).toEqual([2, 2]));
    await until(() => expect(second.factory.told).toEqual(['start', 'start']));
    expect(first.factory.told.filter((word) => word === 'stop')).toHaveLength(2);
  });

  it('tells the others what its sessions weigh, and gives nothing away before it knows', async () => {
    const cloud = createCloud();
    await cloud.sessions.create(sessionRow());
    await cloud.sessions.create(sessionRow({ name: 'beta', shard: 'socket-01', engine: 'GOWS' }));
    const listed = Promise.withResolvers<void>();
    const { listByShard } = cloud.sessions;
    vi.spyOn(cloud.sessions, 'listByShard').mockImplementation(async (shard) => {
      await listed.promise;
      return listByShard.call(cloud.sessions, shard);
    });
    const first = await launch(cloud, 'a');
    await until(() => expect(first.host.shards).toHaveLength(4));
    const looks = vi.spyOn(cloud.ownership, 'shards');
    const second = await launch(cloud, 'b');
    await until(() => expect(looks.mock.calls.length).toBeGreaterThan(20));
    expect([first.host.shards.length, second.host.shards.length]).toEqual([4, 0]);
    listed.resolve();
    await until(() => expect([first.host.shards.length, second.host.shards.length]).toEqual([2, 2]));
    await until(async () => {
      const loads = (await cloud.ownership.hosts()).map(({ load }) => load);
      expect(loads.reduce((sum, load) => sum + load, 0)).toBeCloseTo(1.7);
    });
  });

  it('is fenced when it is declared dead: nothing is written, and then it begins anew', async () => {
    const cloud = createCloud();
    await cloud.sessions.create(sessionRow());
    const { factory } = await launch(cloud, 'a', sent);
    await until(() => expect(factory.told).toEqual(['start']));
    const [row] = await cloud.ownership.hosts();
    if (row === undefined) throw new Error('not registered');
    expect(await cloud.ownership.declareDead(row.hostId, row.incarnation, row.rvn)).toBe(true);
    await until(() => expect(factory.told).toEqual(['start', 'stop', 'start']));
    expect((await cloud.ownership.shard('socket-00'))?.epoch).toBe(2);
    await until(async () => expect((await cloud.sessions.get('alpha'))?.epoch).toBe(2));
  });

  it('does not wait for a send that was cancelled while it waited', async () => {
    const cloud = createCloud();
    const overrides = { gap: { min: 3_600, max: 3_600 } };
    await cloud.sessions.create(sessionRow({ config: { pacing: { profile: 'safe', overrides } } }));
    const { factory } = await launch(cloud, 'a', {
      sendText: async (_command, job) => {
        await job.freeze({ content: Uint8Array.of(1) });
        return { kind: 'sent', timestamp: 1 };
      },
    });
    await until(() => expect(factory.told).toEqual(['start']));
    factory.last.work();
    const deletion = { chatId: '4915187654321@c.us', id: '3EB0AAAAAAAAAAAA', fromMe: true };
    await send(cloud, 'one');
    await until(async () => expect(await stateOf(cloud, 'one')).toBe('SENT'));
    await send(cloud, 'two', commandSchema.parse({ type: 'sendText', chatId: '120363041234567890@g.us', text: 'hi' }));
    await until(async () => expect(await cloud.jobs.get('alpha', 'two')).toMatchObject({ waitsFor: 'gap' }));
    await cloud.jobs.advance('alpha', 'two', 9, { state: 'CANCELLED' });
    await send(cloud, 'three', commandSchema.parse({ ...deletion, type: 'deleteMessage', message: deletion }));
    await cloud.queue.send('socket-00', { kind: 'session-changed', session: 'alpha' }, 'control', 'change-1');
    await until(async () => expect(await stateOf(cloud, 'three')).toBe('FAILED'));
  });
});
