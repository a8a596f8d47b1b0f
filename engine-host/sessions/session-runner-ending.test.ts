import { describe, expect, it, vi } from 'vitest';
import type { JobRow } from '#shared/contracts/jobs.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { jobRow, waMessage } from '#test/contracts/rows.ts';
import { ManualLease } from '../host/manual-lease.ts';
import {
  createRunner,
  journalOf,
  rowOf,
  statuses,
  stopped,
  stored,
  type World,
  working,
} from './session-runner-world.ts';

describe('a logout', () => {
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
});

describe('a deletion', () => {
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
});
