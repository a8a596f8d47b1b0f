import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { StreamTask } from '#shared/contracts/event-stream.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { sessionRow } from '#test/contracts/rows.ts';
import { event, idOf, KEY, news, SenderWorld, START } from '#test/support/stream-sender-world.ts';

const opened: StreamTask = { kind: 'opened', connectionId: 'c1' };

let world: SenderWorld;
let sender: SenderWorld['sender'];
beforeEach(async () => {
  world = await SenderWorld.create();
  sender = world.sender;
});

describe('`since`', () => {
  const beginsWith = async (since: readonly string[], sessions: readonly string[]) => {
    await world.open({ sessions: [...sessions], since: [...since] }, []);
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
    await world.append(2);
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

  it('begins others before the oldest that it names, also where it names a later one of the same session', async () => {
    const expected = ['beta 1', 'beta 2', 'beta 3', 'gamma 1', 'gamma 3'];
    expect(await beginsWith([idOf(1), idOf(3)], ['*'])).toEqual(expected);
  });

  it('ends when it names only what is not there (any more)', async () => {
    expect(await beginsWith([idOf(8), idOf(9)], ['alpha'])).toEqual(['undefined undefined']);
    expect(world.frames).toEqual([
      {
        event: 'stream.closed',
        timestamp: world.clock.now(),
        payload: { reason: 'since-unknown', message: expect.stringContaining(idOf(8)) },
      },
    ]);
    expect(world.closed).toEqual(['c1']);
    expect(await world.streams.get('c1')).toBeUndefined();
  });

  describe('with an event that is not there (any more)', () => {
    const gap = () => world.frames.filter(({ event }) => event === 'stream.gap');
    const others = () => world.frames.flatMap(({ session, seq }) => (session === undefined ? [] : `${session} ${seq}`));

    it('says so and goes on, in sessions of which it names none from before that event', async () => {
      const missing = idOf(9, 'a deleted one');
      await world.open({ sessions: ['*'], since: [idOf(3), idOf(3, 'gamma'), missing] }, []);
      await sender.do(opened);
      await world.doAll();
      expect(gap()).toEqual([
        {
          event: 'stream.gap',
          timestamp: world.clock.now(),
          payload: { since: [missing], message: expect.stringContaining('not have this event') },
        },
      ]);
      // The missing one happened before all of them, as all of this world.
      expect(others().sort()).toEqual(['beta 1', 'beta 2', 'beta 3']);
    });

    it('does not go on before its other end knows', async () => {
      await world.open({ sessions: ['*'], since: [idOf(3), idOf(9)] }, []);
      world.answers = ['busy'];
      await sender.do(opened);
      expect(world.frames).toEqual([]);
      await world.doAll();
      expect(others()).toEqual([]);
      world.pass(1_000);
      await sender.do(opened);
      await world.doAll();
      expect(gap()).toHaveLength(1);
      expect(others().sort()).toEqual(['beta 1', 'beta 2', 'beta 3', 'gamma 1', 'gamma 3']);
    });
  });

  describe('with an event that a next host has told again', () => {
    const again = (of: number, seq: number) => ({ ...event(of), seq });
    const goesOn = async (since: readonly string[], sessions: readonly string[] = ['alpha']) => {
      await world.open({ sessions: [...sessions], since: [...since] }, []);
      await sender.do(opened);
      await world.doAll();
      return world.seqs('alpha');
    };

    it.each([
      ['one session', [idOf(2)], ['alpha']],
      ['all sessions, one named', [idOf(2)], ['*']],
      ['all sessions, each named', [idOf(2), idOf(3, 'beta'), idOf(3, 'gamma')], ['*']],
    ])('goes on behind where it was told first, as what lies between may be told only there: %s', async (...given) => {
      await world.append(1_001, 1_002, 1_003, 1_004);
      await world.log.append([again(2, 1_005)]);
      await world.append(1_006);
      expect(await goesOn(given[1], given[2])).toEqual([3, 1_001, 1_002, 1_003, 1_004, 1_006]);
    });

    it('does not bring that again, neither at once nor later', async () => {
      await world.log.append([again(3, 1_001)]);
      expect(await goesOn([idOf(3), idOf(2)])).toEqual([]);
      await world.log.append([again(3, 2_001)]);
      await world.append(2_002);
      await sender.do(news());
      expect(world.seqs()).toEqual([2_002]);
    });

    it('brings the others that were told twice while it was away once, where they are in one turn', async () => {
      await world.append(4);
      await world.log.append([again(3, 1_001), again(4, 1_002)]);
      expect(await goesOn([idOf(2)])).toEqual([3, 4]);
    });
  });

  it('is looked for again by whoever comes after a failure', async () => {
    await world.open({ since: [idOf(2)] }, []);
    vi.spyOn(world.streams, 'update').mockRejectedValueOnce(new DependencyError('no answer'));
    const opened: StreamTask = { kind: 'opened', connectionId: 'c1' };
    await expect(sender.do(opened)).rejects.toBeInstanceOf(DependencyError);
    await sender.do(opened);
    for (const task of world.queue.tasks.splice(0)) await sender.do(task);
    expect(world.seqs()).toEqual([3]);
  });

  it('asks each session once, whatever it names', async () => {
    const find = vi.spyOn(world.log, 'findSome');
    await beginsWith([idOf(2), idOf(3, 'beta'), idOf(1, 'gamma')], ['*']);
    expect(world.frames.map(({ session, seq }) => `${session} ${seq}`).sort()).toEqual(['alpha 3', 'gamma 3']);
    expect(find).toHaveBeenCalledTimes(3);
  });

  it('is looked for at the next heartbeat when the task that was to do it is lost', async () => {
    await world.open({ since: [idOf(2)] }, []);
    vi.spyOn(world.streams, 'update').mockRejectedValueOnce(new DependencyError('no answer'));
    await expect(sender.do({ kind: 'opened', connectionId: 'c1' })).rejects.toBeInstanceOf(DependencyError);
    await world.doAll();
    expect(world.frames).toEqual([]);
    await sender.do({ kind: 'heartbeat', connectionId: 'c1', at: START });
    await world.doAll();
    expect(world.seqs()).toEqual([3]);
  });

  it('comes before everything that happens meanwhile', async () => {
    await world.open({ since: [idOf(1)] }, []);
    await sender.do(news('alpha', 3));
    expect(world.frames).toEqual([]);
    await sender.do({ kind: 'opened', connectionId: 'c1' });
    for (const task of world.queue.tasks.splice(0)) await sender.do(task);
    expect(world.seqs()).toEqual([2, 3]);
  });
});

/** Each look into the log, and each order of turns, takes so long that a turn is over after a few of them. */
describe('a `since` that takes long', () => {
  const OLD = 300_000;
  const names = Array.from({ length: 120 }, (_, index) => `s${String(index).padStart(3, '0')}`);
  let longestMs: number;
  let atTurn: (task: StreamTask) => void;
  let network: (call: () => Promise<void>) => Promise<void>;

  beforeEach(async () => {
    for (const name of names) await world.sessions.create(sessionRow({ name }));
    await world.log.append(names.flatMap((name) => [event(1, name), event(2, name)]));
    world.pass(OLD);
    await world.log.append(names.flatMap((name) => [3, 4, 5, 6, 7].map((seq) => event(seq, name))));
    await world.open({ sessions: ['*'], openedAt: world.clock.now(), since: [idOf(3, 's037')] }, []);
    const { findSome, lastBefore } = world.log;
    const { update, moveCursor } = world.streams;
    const { send } = world.queue;
    network = (call) => call();
    vi.spyOn(world.log, 'findSome').mockImplementation((...args) => {
      world.pass(160);
      return findSome.apply(world.log, args);
    });
    vi.spyOn(world.log, 'lastBefore').mockImplementation((...args) => {
      world.pass(160);
      return lastBefore.apply(world.log, args);
    });
    vi.spyOn(world.queue, 'send').mockImplementation((tasks) => {
      if (tasks.length > 1) world.pass(2_560);
      return network(() => send.call(world.queue, tasks));
    });
    vi.spyOn(world.streams, 'update').mockImplementation((...args) => network(() => update.apply(world.streams, args)));
    vi.spyOn(world.streams, 'moveCursor').mockImplementation((...args) =>
      network(() => moveCursor.apply(world.streams, args)),
    );
    longestMs = 0;
    atTurn = () => {};
    const { do: run } = sender;
    vi.spyOn(sender, 'do').mockImplementation(async (task) => {
      const began = world.clock.monotonic();
      atTurn(task);
      await run.call(sender, task);
      longestMs = Math.max(longestMs, world.clock.monotonic() - began);
    });
    await world.queue.send([{ task: opened, cause: 'opened#0' }]);
  });

  const expectAll = (newest: number) => {
    for (const name of names) {
      const first = name === 's037' ? 4 : 3;
      expect(world.seqs(name), name).toEqual(Array.from({ length: newest + 1 - first }, (_, at) => first + at));
    }
  };

  it('takes as many turns as it needs, without a gap or a double', async () => {
    let turns = 0;
    await world.doAll(async ({ kind }) => {
      if (kind === 'opened') turns += 1;
    });
    expectAll(7);
    expect(turns).toBeGreaterThan(10);
    // What began before its time was up.
    expect(longestMs).toBeLessThan(2_500 + 2_560);
    expect(await world.streams.get('c1')).not.toHaveProperty('since');
    expect(await world.streams.get('c1')).not.toHaveProperty('start');
  });

  it('nor when events and sessions come meanwhile', async () => {
    let newest = 7;
    await world.doAll(async ({ kind }) => {
      if (kind !== 'opened') return;
      newest += 1;
      await world.log.append(names.map((name) => event(newest, name)));
      await world.queue.send(names.map((name) => ({ task: news(name, newest), cause: `bus#${name}#${newest}` })));
      if (newest !== 9) return;
      await world.sessions.create(sessionRow({ name: 'a-new' }));
      await world.log.append([event(1, 'a-new')]);
      await world.queue.send([{ task: news('a-new', 1), cause: 'bus#a-new#1' }]);
    });
    expect(newest).toBeGreaterThan(10);
    expectAll(newest);
    expect(world.seqs('a-new')).toEqual([1]);
  });

  it('nor when each of its turns fails several times, at its beginning and in its midst', async () => {
    const tries = new Map<StreamTask, number>();
    let failAt = 0;
    let failures = 0;
    network = async (call) => {
      failAt -= 1;
      if (failAt !== 0) return call();
      failures += 1;
      // An answer that is lost, every other time.
      if (failures % 2 === 0) await call();
      throw new DependencyError('no answer');
    };
    atTurn = (task) => {
      const before = tries.get(task) ?? 0;
      tries.set(task, before + 1);
      failAt = task.kind === 'opened' ? ([1, 1, 2, 2, 9, 9][before] ?? 0) : 0;
    };
    await world.doAll();
    expect(failures).toBeGreaterThan(20);
    expectAll(7);
  });

  it('is gone on with at the next heartbeat when its next turn is lost', async () => {
    world.queue.tasks.length = 0;
    await sender.do(opened);
    expect(world.queue.tasks.splice(0)).toEqual([opened]);
    await sender.do({ kind: 'heartbeat', connectionId: 'c1', at: START });
    await world.doAll();
    expectAll(7);
  });

  it('says at its end that nobody knows the event', async () => {
    const missing = idOf(9, 's037');
    await world.open({ sessions: ['*'], openedAt: world.clock.now(), since: [missing] }, []);
    await world.doAll();
    expect(world.frames).toMatchObject([
      { event: 'stream.closed', payload: { reason: 'since-unknown', message: expect.stringContaining(missing) } },
    ]);
  });

  it('ends in the midst of it with its key', async () => {
    await sender.do(opened);
    await world.keys.replace({ ...KEY, isActive: false });
    await world.doAll();
    expect(world.frames).toMatchObject([{ event: 'stream.closed', payload: { reason: 'key-revoked' } }]);
  });
});
