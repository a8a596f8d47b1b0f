import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { StreamTask } from '#shared/contracts/event-stream.ts';
import { mediaKey } from '#shared/contracts/media-keys.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { sessionRow } from '#test/contracts/rows.ts';
import { event, KEY, news, SenderWorld, START } from '#test/support/stream-sender-world.ts';

const retry: StreamTask = { kind: 'retry', connectionId: 'c1' };

let world: SenderWorld;
let sender: SenderWorld['sender'];
beforeEach(async () => {
  world = await SenderWorld.create();
  sender = world.sender;
});

describe('a stream is written to', () => {
  it('behind its cursor, each event once, in order', async () => {
    await world.append(1, 2, 3);
    await world.open({}, [['alpha', 1]]);
    await sender.do(news());
    await world.append(4);
    await sender.do(news());
    await sender.do(news());
    expect(world.seqs()).toEqual([2, 3, 4]);
    expect(world.frames[0]).toEqual(event(2));
  });

  it('with what it asked for', async () => {
    await world.log.append([event(1, 'alpha', 'message.any'), event(2), event(3, 'alpha', 'message.any')]);
    await world.open({ events: ['message'] });
    await sender.do(news());
    expect(world.seqs()).toEqual([2]);
    expect(await world.streams.cursor('c1', 'alpha')).toBe(3);
  });

  it('from its opening on where it is of all sessions', async () => {
    await world.append(1, 2);
    world.pass(1_000);
    await world.open({ sessions: ['*'], openedAt: START + 1_000 }, []);
    world.pass(1_000);
    await world.append(3, 4);
    await sender.do(news('alpha', 4));
    expect(world.seqs()).toEqual([3, 4]);
  });

  it('from the event on that woke it, also when its host’s clock is behind', async () => {
    await world.append(1, 2, 3);
    await world.open({ sessions: ['*'], openedAt: START + 500 }, []);
    await sender.do(news('alpha', 3));
    expect(world.seqs()).toEqual([3]);
  });

  it('for some seconds, then others have their turn', async () => {
    await world.append(...Array.from({ length: 60 }, (_, index) => index + 1));
    await world.open();
    world.postMs = 400;
    await sender.do(news());
    expect(world.seqs()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    await world.doAll();
    expect(world.seqs()).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  });

  it('for no longer when several of its sessions have waited', async () => {
    const all = ['alpha', 'beta', 'gamma'];
    for (const name of all) await world.log.append([1, 2, 3, 4].map((seq) => event(seq, name)));
    await world.open(
      { sessions: ['*'], slow: { since: START, sessions: all } },
      all.map((name) => [name, 0] as const),
    );
    world.postMs = 400;
    await sender.do(retry);
    expect(world.frames.map(({ session, seq }) => `${session} ${seq}`)).toHaveLength(7);
    expect(world.queue.tasks).toEqual([news('beta'), news('gamma')]);
    await world.doAll();
    for (const name of all)
      expect(world.frames.flatMap(({ session, seq }) => (session === name ? seq : []))).toEqual([1, 2, 3, 4]);
  });

  it('again in a session that was passed over at the same place before', async () => {
    const all = ['alpha', 'beta'];
    await world.append(1, 2, 3, 4, 5, 6, 7, 8);
    await world.log.append([event(1, 'beta')]);
    await world.open(
      { sessions: ['*'], slow: { since: START, sessions: all } },
      all.map((name) => [name, 0] as const),
    );
    world.postMs = 2_000;
    await sender.do(retry);
    world.queue.tasks.length = 0;
    await world.streams.update('c1', { slow: { since: START, sessions: all } });
    await sender.do(retry);
    expect(world.queue.tasks).toEqual([news('alpha'), news('beta')]);
  });

  it('and goes on behind the last frame that left when something fails', async () => {
    await world.append(1, 2, 3);
    await world.open();
    world.answers = ['sent', new DependencyError('no answer')];
    await expect(sender.do(news())).rejects.toBeInstanceOf(DependencyError);
    await sender.do(news());
    expect(world.seqs()).toEqual([1, 2, 3]);
  });

  it('with the address of what is too large, and leaves alone what its host has stored of that', async () => {
    const small = event(1);
    if (small.event !== 'message') throw new Error('not reached');
    const large = { ...small, payload: { ...small.payload, body: 'ü'.repeat(70_000) } };
    const key = mediaKey.event('alpha', large.id, 1);
    await world.media.put(key, Buffer.from('of a later version'), 'application/json');
    await world.log.append([large]);
    await world.open();
    await sender.do(news());
    expect(world.frames).toMatchObject([{ id: large.id, payload: null, href: expect.stringMatching(/^data:/) }]);
    expect(await (await fetch(String(world.frames[0]?.href))).json()).toEqual(large);
    expect((await world.media.get(key)).body).toEqual(Uint8Array.from(Buffer.from('of a later version')));
  });
});

describe('a stream ends', () => {
  it.each([
    ['revoked', { isActive: false }],
    ['for another session now', { session: 'beta' }],
    ['not for reading any more', { actions: ['send' as const] }],
    ['expired', { expiresAt: START }],
    ['rotated out', { hash: 'another', previous: { hash: 'hash', until: START } }],
  ])('with a key that is %s, before the next event', async (_what, change) => {
    await world.append(1);
    await world.open();
    await world.keys.replace({ ...KEY, ...change });
    await sender.do(news());
    expect(world.frames).toMatchObject([{ event: 'stream.closed', payload: { reason: 'key-revoked' } }]);
    expect(world.closed).toEqual(['c1']);
  });

  it('before its next page when the key is revoked while one is written', async () => {
    await world.append(...Array.from({ length: 60 }, (_, index) => index + 1));
    await world.open();
    const post = vi.spyOn(world.sockets, 'post').mockImplementationOnce(async (...args) => {
      await world.keys.replace({ ...KEY, isActive: false });
      return world.sockets.post(...args);
    });
    await sender.do(news());
    expect(post).toHaveBeenCalled();
    expect(world.seqs()).toHaveLength(25);
    expect(world.frames.at(-1)).toMatchObject({ event: 'stream.closed', payload: { reason: 'key-revoked' } });
  });

  it('of all sessions with a key that is for one of them now', async () => {
    await world.append(1);
    await world.open({ sessions: ['*'] });
    const row = sessionRow({ name: 'alpha' });
    await world.sessions.create(row);
    await world.keys.replace({ ...KEY, session: row.name, incarnation: row.incarnation });
    await sender.do(news());
    expect(world.frames).toMatchObject([{ event: 'stream.closed', payload: { reason: 'key-revoked' } }]);
    expect(world.closed).toEqual(['c1']);
  });

  it('when its connection is gone', async () => {
    await world.append(1);
    await world.open();
    world.answers = ['gone'];
    await sender.do(news());
    expect(await world.streams.get('c1')).toBeUndefined();
    expect(await world.streams.cursor('c1', 'alpha')).toBeUndefined();
    await sender.do(news());
    expect(world.frames).toEqual([]);
  });

  it('but not while its handshake may not be over', async () => {
    await world.append(1);
    await world.open({ openedAt: START });
    world.answers = ['gone'];
    await sender.do(news());
    expect(world.queue.later).toEqual([[retry, 1]]);
    await sender.do(retry);
    expect(world.seqs()).toEqual([1]);
    expect((await world.streams.get('c1'))?.slow).toBeUndefined();
  });
});

describe('a reader that is slow', () => {
  beforeEach(async () => {
    await world.open({ sessions: ['*'] }, [
      ['alpha', 0],
      ['beta', 0],
    ]);
    await world.log.append([event(1), event(2), event(1, 'beta')]);
  });

  it('is asked again after a second, once for everything that waits', async () => {
    world.answers = ['sent', 'busy'];
    await sender.do(news());
    await sender.do(news('beta'));
    await sender.do(news());
    expect(world.queue.later).toEqual([[retry, 1]]);
    expect(world.seqs()).toEqual([1]);
    await sender.do(retry);
    expect(world.frames.map(({ session, seq }) => `${session} ${seq}`)).toEqual(['alpha 1', 'alpha 2', 'beta 1']);
    await sender.do(retry);
    expect(world.queue.later).toHaveLength(1);
  });

  it('is cut off when it has taken nothing for ten seconds', async () => {
    world.answers = Array.from({ length: 11 }, () => 'busy' as const);
    await sender.do(news());
    for (let second = 0; second < 10; second += 1) {
      world.pass(1_000);
      await sender.do(retry);
      expect(await world.streams.get('c1')).toBeDefined();
    }
    world.pass(1_000);
    world.answers = ['busy'];
    await sender.do(retry);
    expect(world.frames).toMatchObject([{ event: 'stream.closed', payload: { reason: 'slow-reader' } }]);
    expect(world.closed).toEqual(['c1']);
  });

  it('is cut off as soon, however much happens that it did not ask for', async () => {
    await world.open({ sessions: ['*'], events: ['message'] }, [
      ['alpha', 0],
      ['beta', 0],
      ['gamma', 0],
    ]);
    await world.log.append([event(3), event(1, 'gamma')]);
    world.answers = ['busy'];
    await sender.do(news());
    for (let second = 1; second <= 10; second += 1) {
      world.pass(1_000);
      // A session whose log is gone has nothing that waits any more; the next in turn has.
      await world.log.deleteSome(second % 2 === 1 ? 'alpha' : 'beta');
      const next = second % 2 === 1 ? 'beta' : 'alpha';
      await world.log.append([event(10 * second, next, 'message.any'), event(10 * second + 1, next)]);
      await sender.do(news(next));
      world.answers = ['busy'];
      await sender.do(retry);
      expect(await world.streams.get('c1'), `after ${second} s`).toBeDefined();
    }
    world.pass(1_000);
    world.answers = ['busy'];
    await sender.do(retry);
    expect(world.frames).toMatchObject([{ event: 'stream.closed', payload: { reason: 'slow-reader' } }]);
  });

  it('with a narrow filter is kept while it takes what it asked for, and misses none of it', async () => {
    await world.open({ events: ['message'] });
    for (let second = 1; second <= 30; second += 1) {
      const seqs = Array.from({ length: 100 }, (_, index) => 1_000 * second + index);
      await world.log.append(seqs.map((seq) => event(seq, 'alpha', seq % 1_000 === 60 ? 'message' : 'message.any')));
      world.answers = second % 3 === 0 ? ['busy'] : [];
      await sender.do(news());
      world.pass(1_000);
      await sender.do(retry);
    }
    const asked = Array.from({ length: 30 }, (_, index) => 1_000 * (index + 1) + 60);
    expect(world.seqs()).toEqual([1, 2, ...asked]);
    expect(await world.streams.cursor('c1', 'alpha')).toBe(30_099);
    expect((await world.streams.get('c1'))?.slow).toBeUndefined();
  });

  it('has the event that woke it while it was busy, also of a session that is new to it with a clock that is behind', async () => {
    await world.open({ sessions: ['*'], openedAt: START + 500 }, [['alpha', 0]]);
    await world.log.append([event(1, 'delta'), event(2, 'delta')]);
    world.answers = ['busy'];
    await sender.do(news());
    await sender.do(news('delta', 2));
    await sender.do(retry);
    expect(world.seqs('delta')).toEqual([2]);
  });

  it('is kept while it takes something', async () => {
    world.answers = ['busy'];
    await sender.do(news());
    world.pass(9_000);
    world.answers = ['sent', 'busy'];
    await sender.do(retry);
    world.pass(9_000);
    world.answers = ['busy'];
    await sender.do(retry);
    expect(await world.streams.get('c1')).toBeDefined();
    world.pass(2_000);
    world.answers = ['busy'];
    await sender.do(retry);
    expect(await world.streams.get('c1')).toBeUndefined();
  });
});

describe('a heartbeat', () => {
  const beat = (at: number): StreamTask => ({ kind: 'heartbeat', connectionId: 'c1', at });

  it('shows that the stream is there, and orders the next', async () => {
    await world.open();
    await sender.do(beat(START));
    expect(world.frames).toEqual([{ event: 'stream.heartbeat', timestamp: START }]);
    expect(world.queue.later).toEqual([[beat(START + 30_000), 30]]);
  });

  it('that comes twice is one', async () => {
    await world.open();
    await sender.do(beat(START));
    await sender.do(beat(START));
    expect(world.frames).toHaveLength(1);
    expect(world.queue.later).toHaveLength(1);
  });

  it('sees to what waits for a slow reader', async () => {
    await world.append(1);
    await world.open({ slow: { since: START - 5_000, sessions: ['alpha'] } });
    await sender.do(beat(START));
    expect(world.seqs()).toEqual([1]);
    expect((await world.streams.get('c1'))?.slow).toBeUndefined();
  });

  it('ends with its stream', async () => {
    await world.open();
    world.answers = ['gone'];
    await sender.do(beat(START));
    await sender.do(beat(START));
    expect(world.queue.later).toEqual([]);
  });
});
