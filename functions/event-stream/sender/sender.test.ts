import { beforeEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { MemoryApiKeyStore } from '#shared/adapters/memory/memory-api-key-store.ts';
import { MemoryEventLog } from '#shared/adapters/memory/memory-event-log.ts';
import { MemoryMediaStore } from '#shared/adapters/memory/memory-media-store.ts';
import { MemorySessionStore } from '#shared/adapters/memory/memory-session-store.ts';
import { MemoryStreamStore } from '#shared/adapters/memory/memory-stream-store.ts';
import type { StreamTask } from '#shared/contracts/event-stream.ts';
import type { ApiKeyRow, StreamRow } from '#shared/contracts/rows.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { eventId } from '#shared/domain/event-id.ts';
import type { StreamSockets } from '#shared/ports/event-stream.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { sessionRow, waMessage } from '#test/contracts/rows.ts';
import { streamRow } from '#test/contracts/stream-store-contract.ts';
import { RecordedStreamQueue } from '../test-support/recorded-stream-queue.ts';
import { StreamSender } from './sender.ts';

const START = 1_700_000_000_000;
const key: ApiKeyRow = {
  id: 'key_id_1',
  version: 1,
  name: null,
  hash: 'hash',
  isAdmin: false,
  isActive: true,
  session: null,
  actions: ['read'],
  createdAt: 0,
};
const frameSchema = z.looseObject({ event: z.string(), seq: z.number().optional() });

function createWorld() {
  let now = START;
  const clock = { now: () => now, monotonic: () => now };
  const frames: z.infer<typeof frameSchema>[] = [];
  const world = {
    clock,
    log: new MemoryEventLog(clock),
    streams: new MemoryStreamStore(),
    queue: new RecordedStreamQueue(),
    keys: new MemoryApiKeyStore(),
    sessions: new MemorySessionStore(),
    media: new MemoryMediaStore(),
    logger: { info: vi.fn() },
    /** How the other end takes the next frames. */
    answers: [] as ('sent' | 'busy' | 'gone' | DependencyError)[],
    /** How long it takes to take one. */
    postMs: 0,
    closed: [] as string[],
    frames,
    seqs: () => frames.flatMap(({ seq }) => seq ?? []),
    pass: (ms: number) => {
      now += ms;
    },
  };
  const sockets: StreamSockets = {
    async post(_stream, text) {
      now += world.postMs;
      const answer = world.answers.shift() ?? 'sent';
      if (answer instanceof DependencyError) throw answer;
      if (answer === 'sent') frames.push(frameSchema.parse(JSON.parse(text)));
      return answer;
    },
    async close({ connectionId }) {
      world.closed.push(connectionId);
    },
  };
  return Object.assign(world, { sockets });
}

let world: ReturnType<typeof createWorld>;
let sender: StreamSender;
beforeEach(async () => {
  world = createWorld();
  await world.keys.create(key);
  sender = new StreamSender(world);
});

const idOf = (seq: number, session = 'alpha') =>
  eventId({ name: session, incarnation: 'one' }, 'message', START, String(seq));
const event = (seq: number, session = 'alpha', name: 'message' | 'message.any' = 'message') =>
  eventEnvelope(
    { event: name, payload: waMessage({ id: `AAAAA${seq}` }) },
    { id: idOf(seq, session), session, seq, timestamp: START },
  );
const append = (...seqs: readonly number[]) => world.log.append(seqs.map((seq) => event(seq)));
const open = (fields: Partial<StreamRow> = {}, cursors: readonly (readonly [string, number])[] = [['alpha', 0]]) =>
  world.streams.open(streamRow({ openedAt: START - 60_000, heartbeatAt: START, ...fields }), new Map(cursors));
const news = (session = 'alpha', seq?: number): StreamTask => ({
  kind: 'session',
  connectionId: 'c1',
  session,
  ...(seq !== undefined && { seq }),
});
const retry: StreamTask = { kind: 'retry', connectionId: 'c1' };
/** What is in the queue, and what that puts into it. */
const doAll = async () => {
  for (let task = world.queue.tasks.shift(); task !== undefined; task = world.queue.tasks.shift())
    await sender.do(task);
};

describe('a stream is written to', () => {
  it('behind its cursor, each event once, in order', async () => {
    await append(1, 2, 3);
    await open({}, [['alpha', 1]]);
    await sender.do(news());
    await append(4);
    await sender.do(news());
    await sender.do(news());
    expect(world.seqs()).toEqual([2, 3, 4]);
    expect(world.frames[0]).toEqual(event(2));
  });

  it('with what it asked for', async () => {
    await world.log.append([event(1, 'alpha', 'message.any'), event(2), event(3, 'alpha', 'message.any')]);
    await open({ events: ['message'] });
    await sender.do(news());
    expect(world.seqs()).toEqual([2]);
    expect(await world.streams.cursor('c1', 'alpha')).toBe(3);
  });

  it('from its opening on where it is of all sessions', async () => {
    await append(1, 2);
    world.pass(1_000);
    await open({ sessions: ['*'], openedAt: START + 1_000 }, []);
    world.pass(1_000);
    await append(3, 4);
    await sender.do(news('alpha', 4));
    expect(world.seqs()).toEqual([3, 4]);
  });

  it('from the event on that woke it, also when its host’s clock is behind', async () => {
    await append(1, 2, 3);
    await open({ sessions: ['*'], openedAt: START + 500 }, []);
    await sender.do(news('alpha', 3));
    expect(world.seqs()).toEqual([3]);
  });

  it('for some seconds, then others have their turn', async () => {
    await append(...Array.from({ length: 60 }, (_, index) => index + 1));
    await open();
    world.postMs = 400;
    await sender.do(news());
    expect(world.seqs()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    await doAll();
    expect(world.seqs()).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  });

  it('for no longer when several of its sessions have waited', async () => {
    const all = ['alpha', 'beta', 'gamma'];
    for (const name of all) await world.log.append([1, 2, 3, 4].map((seq) => event(seq, name)));
    await open(
      { sessions: ['*'], slow: { since: START, sessions: all } },
      all.map((name) => [name, 0] as const),
    );
    world.postMs = 400;
    await sender.do(retry);
    expect(world.frames.map(({ session, seq }) => `${session} ${seq}`)).toHaveLength(7);
    expect(world.queue.tasks).toEqual([news('beta'), news('gamma')]);
    await doAll();
    for (const name of all)
      expect(world.frames.flatMap(({ session, seq }) => (session === name ? seq : []))).toEqual([1, 2, 3, 4]);
  });

  it('again in a session that was passed over at the same place before', async () => {
    const all = ['alpha', 'beta'];
    await append(1, 2, 3, 4, 5, 6, 7, 8);
    await world.log.append([event(1, 'beta')]);
    await open(
      { sessions: ['*'], slow: { since: START, sessions: all } },
      all.map((name) => [name, 0] as const),
    );
    world.postMs = 2_000;
    await sender.do(retry);
    world.queue.tasks = [];
    await world.streams.update('c1', { slow: { since: START, sessions: all } });
    await sender.do(retry);
    expect(world.queue.tasks).toEqual([news('alpha'), news('beta')]);
  });

  it('and goes on behind the last frame that left when something fails', async () => {
    await append(1, 2, 3);
    await open();
    world.answers = ['sent', new DependencyError('no answer')];
    await expect(sender.do(news())).rejects.toBeInstanceOf(DependencyError);
    await sender.do(news());
    expect(world.seqs()).toEqual([1, 2, 3]);
  });

  it('with the address of what is too large', async () => {
    const large = event(1);
    if (large.event !== 'message') throw new Error('not reached');
    await world.log.append([{ ...large, payload: { ...large.payload, body: 'ü'.repeat(70_000) } }]);
    await open();
    await sender.do(news());
    expect(world.frames).toMatchObject([{ id: large.id, payload: null, href: expect.stringMatching(/^data:/) }]);
  });
});

describe('`since`', () => {
  const beginsWith = async (since: readonly string[], sessions: readonly string[]) => {
    await open({ sessions: [...sessions], since: [...since] }, []);
    await sender.do({ kind: 'opened', connectionId: 'c1' });
    for (const task of world.queue.tasks.splice(0)) await sender.do(task);
    return world.frames.map(({ session, seq }) => `${session} ${seq}`).sort();
  };
  beforeEach(async () => {
    for (const name of ['alpha', 'beta', 'gamma']) await world.sessions.create(sessionRow({ name }));
    await world.log.append([event(1), event(1, 'beta'), event(1, 'gamma')]);
    world.pass(300_000);
    await world.log.append([event(2, 'beta')]);
    world.pass(30_000);
    await append(2);
    world.pass(1_000);
    await world.log.append([event(3), event(3, 'beta'), event(3, 'gamma')]);
  });

  it('goes on behind each event that it names', async () => {
    expect(await beginsWith([idOf(2), idOf(3, 'beta')], ['alpha', 'beta'])).toEqual(['alpha 3']);
  });

  it('begins a minute before the oldest of them in sessions of which it names none', async () => {
    const expected = ['alpha 3', 'beta 2', 'beta 3', 'gamma 3'];
    expect(await beginsWith([idOf(2)], ['*'])).toEqual(expected);
  });

  it('says so when it names what is not there (any more)', async () => {
    expect(await beginsWith([idOf(2), idOf(9)], ['alpha'])).toEqual(['undefined undefined']);
    expect(world.frames).toEqual([
      {
        event: 'stream.closed',
        timestamp: world.clock.now(),
        payload: { reason: 'since-unknown', message: expect.stringContaining(idOf(9)) },
      },
    ]);
    expect(world.closed).toEqual(['c1']);
    expect(await world.streams.get('c1')).toBeUndefined();
  });

  it('is looked for again by whoever comes after a failure', async () => {
    await open({ since: [idOf(2)] }, []);
    vi.spyOn(world.streams, 'update').mockRejectedValueOnce(new DependencyError('no answer'));
    const opened: StreamTask = { kind: 'opened', connectionId: 'c1' };
    await expect(sender.do(opened)).rejects.toBeInstanceOf(DependencyError);
    await sender.do(opened);
    for (const task of world.queue.tasks.splice(0)) await sender.do(task);
    expect(world.seqs()).toEqual([3]);
  });

  it('asks each session once, whatever it names', async () => {
    const find = vi.spyOn(world.log, 'find');
    await beginsWith([idOf(2), idOf(3, 'beta'), idOf(1, 'gamma')], ['*']);
    expect(world.frames.map(({ session, seq }) => `${session} ${seq}`).sort()).toEqual(['alpha 3', 'gamma 3']);
    expect(find).toHaveBeenCalledTimes(3);
  });

  it('is looked for at the next heartbeat when the task that was to do it is lost', async () => {
    await open({ since: [idOf(2)] }, []);
    vi.spyOn(world.streams, 'update').mockRejectedValueOnce(new DependencyError('no answer'));
    await expect(sender.do({ kind: 'opened', connectionId: 'c1' })).rejects.toBeInstanceOf(DependencyError);
    await doAll();
    expect(world.frames).toEqual([]);
    await sender.do({ kind: 'heartbeat', connectionId: 'c1', at: START });
    await doAll();
    expect(world.seqs()).toEqual([3]);
  });

  it('comes before everything that happens meanwhile', async () => {
    await open({ since: [idOf(1)] }, []);
    await sender.do(news('alpha', 3));
    expect(world.frames).toEqual([]);
    await sender.do({ kind: 'opened', connectionId: 'c1' });
    for (const task of world.queue.tasks.splice(0)) await sender.do(task);
    expect(world.seqs()).toEqual([2, 3]);
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
    await append(1);
    await open();
    await world.keys.replace({ ...key, ...change });
    await sender.do(news());
    expect(world.frames).toMatchObject([{ event: 'stream.closed', payload: { reason: 'key-revoked' } }]);
    expect(world.closed).toEqual(['c1']);
  });

  it('before its next page when the key is revoked while one is written', async () => {
    await append(...Array.from({ length: 60 }, (_, index) => index + 1));
    await open();
    const post = vi.spyOn(world.sockets, 'post').mockImplementationOnce(async (...args) => {
      await world.keys.replace({ ...key, isActive: false });
      return world.sockets.post(...args);
    });
    await sender.do(news());
    expect(post).toHaveBeenCalled();
    expect(world.seqs()).toHaveLength(25);
    expect(world.frames.at(-1)).toMatchObject({ event: 'stream.closed', payload: { reason: 'key-revoked' } });
  });

  it('of all sessions with a key that is for one of them now', async () => {
    await append(1);
    await open({ sessions: ['*'] });
    const row = sessionRow({ name: 'alpha' });
    await world.sessions.create(row);
    await world.keys.replace({ ...key, session: row.name, incarnation: row.incarnation });
    await sender.do(news());
    expect(world.frames).toMatchObject([{ event: 'stream.closed', payload: { reason: 'key-revoked' } }]);
    expect(world.closed).toEqual(['c1']);
  });

  it('when its connection is gone', async () => {
    await append(1);
    await open();
    world.answers = ['gone'];
    await sender.do(news());
    expect(await world.streams.get('c1')).toBeUndefined();
    expect(await world.streams.cursor('c1', 'alpha')).toBeUndefined();
    await sender.do(news());
    expect(world.frames).toEqual([]);
  });

  it('but not while its handshake may not be over', async () => {
    await append(1);
    await open({ openedAt: START });
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
    await open({ sessions: ['*'] }, [
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
    await open();
    await sender.do(beat(START));
    expect(world.frames).toEqual([{ event: 'stream.heartbeat', timestamp: START }]);
    expect(world.queue.later).toEqual([[beat(START + 30_000), 30]]);
  });

  it('that comes twice is one', async () => {
    await open();
    await sender.do(beat(START));
    await sender.do(beat(START));
    expect(world.frames).toHaveLength(1);
    expect(world.queue.later).toHaveLength(1);
  });

  it('sees to what waits for a slow reader', async () => {
    await append(1);
    await open({ slow: { since: START - 5_000, sessions: ['alpha'] } });
    await sender.do(beat(START));
    expect(world.seqs()).toEqual([1]);
    expect((await world.streams.get('c1'))?.slow).toBeUndefined();
  });

  it('ends with its stream', async () => {
    await open();
    world.answers = ['gone'];
    await sender.do(beat(START));
    await sender.do(beat(START));
    expect(world.queue.later).toEqual([]);
  });
});
