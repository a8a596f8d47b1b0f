import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Me } from '#shared/contracts/session.ts';
import { NotOwnerError } from '#shared/domain/errors.ts';
import type { EngineState } from '../engine.ts';
import { Connection, type ConnectionPorts, type SocketEvents } from './connection.ts';

const ME: Me = { id: '4915100000001@c.us', pushName: null, lid: null, jid: '4915100000001:1@s.whatsapp.net' };
const BLIP_MS = 10_000;
const CONFLICT_MS = 60_000;

function setUp() {
  const states: EngineState[] = [];
  const sockets: SocketEvents[] = [];
  const world = {
    owned: true,
    confirmed: async () => true,
    crowded: false,
    wishes: new Set<() => void>(),
    loggedIn: false,
    forgotten: 0,
    closed: 0,
    room: true,
  };
  const ports: ConnectionPorts = {
    connect: (events) => {
      sockets.push(events);
      return {
        close: async () => {
          world.closed += 1;
        },
      };
    },
    me: () => ME,
    hasLoggedIn: () => world.loggedIn,
    markLoggedIn: () => {
      world.loggedIn = true;
    },
    forgetLogin: () => {
      world.forgotten += 1;
    },
    assertOwned: () => {
      if (!world.owned) throw new NotOwnerError('not ours');
    },
    hasRoom: () => world.room,
    confirmOwned: () => world.confirmed(),
    onceMayConnect: (callback) => {
      if (!world.crowded) {
        callback();
        return () => {};
      }
      world.wishes.add(callback);
      return () => void world.wishes.delete(callback);
    },
    report: (state) => states.push(state),
    now: () => 1_000,
  };
  const settings = {
    reconnect: { baseMs: 500, maxMs: 60_000 },
    distrust: { baseMs: 30_000, maxMs: 300_000 },
    conflict: { waitMs: CONFLICT_MS, attempts: 3 },
    blipMs: BLIP_MS,
    qrCodes: 6,
  };
  const connection = new Connection(ports, settings);
  const last = (): SocketEvents => {
    const socket = sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  };
  const close = (code: number | undefined, message = 'gone') => last().closed({ code, message });
  return { connection, ports, settings, states, sockets, world, last, close };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('Connection', () => {
  test('shows each QR code with its life: a minute, then twenty seconds each', () => {
    const { connection, states, last } = setUp();
    connection.start();
    last().qr('first');
    last().qr('second');
    expect(states).toEqual([
      { status: 'STARTING' },
      { status: 'SCAN_QR_CODE', qr: { value: 'first', expiresAt: 61_000 } },
      { status: 'SCAN_QR_CODE', qr: { value: 'second', expiresAt: 21_000 } },
    ]);
  });

  test('reconnects at once after a pairing, without a word', () => {
    const { connection, states, sockets, last, close } = setUp();
    connection.start();
    last().qr('first');
    close(515);
    vi.advanceTimersByTime(0);
    expect(sockets).toHaveLength(2);
    last().opened();
    expect(states.map(({ status }) => status)).toEqual(['STARTING', 'SCAN_QR_CODE', 'WORKING']);
  });

  test('backs off exponentially, and begins anew after a success', () => {
    const { connection, sockets, last, close } = setUp();
    connection.start();
    for (const wait of [500, 1_000, 2_000]) {
      const before = sockets.length;
      close(428);
      vi.advanceTimersByTime(wait - 1);
      expect(sockets).toHaveLength(before);
      vi.advanceTimersByTime(1);
      expect(sockets).toHaveLength(before + 1);
    }
    last().opened();
    close(503);
    vi.advanceTimersByTime(500);
    expect(sockets).toHaveLength(5);
  });

  test('keeps trying for ever, at most a minute apart', () => {
    const { connection, sockets, close } = setUp();
    connection.start();
    for (let round = 0; round < 40; round += 1) {
      close(undefined);
      vi.advanceTimersByTime(60_000);
    }
    expect(sockets).toHaveLength(41);
  });

  test('reports a drop only when it lasts longer than a blip', () => {
    const { connection, states, last, close } = setUp();
    connection.start();
    last().opened();
    close(428);
    vi.advanceTimersByTime(BLIP_MS - 1);
    last().opened();
    vi.advanceTimersByTime(BLIP_MS);
    expect(states.at(-1)).toEqual({ status: 'WORKING', me: ME });
    close(503);
    vi.advanceTimersByTime(BLIP_MS);
    expect(states.at(-1)).toEqual({ status: 'STARTING', reason: 'service-unavailable' });
  });

  test('waits a minute after being replaced, three times, then gives up', async () => {
    const { connection, states, sockets, last, close } = setUp();
    connection.start();
    for (const round of [1, 2, 3]) {
      last().opened();
      close(440);
      await vi.advanceTimersByTimeAsync(CONFLICT_MS - 1);
      expect(sockets).toHaveLength(round);
      await vi.advanceTimersByTimeAsync(1);
      expect(sockets).toHaveLength(round + 1);
    }
    last().opened();
    close(440);
    await vi.advanceTimersByTimeAsync(0);
    expect(states.at(-1)).toMatchObject({ status: 'FAILED', reason: 'conflict' });
    await vi.advanceTimersByTimeAsync(10 * CONFLICT_MS);
    expect(sockets).toHaveLength(4);
  });

  test('does not come back, and says nothing, when it was replaced by the host that owns the session now', async () => {
    const { connection, states, sockets, world, last, close } = setUp();
    connection.start();
    // As often as would be enough for a failure.
    for (let round = 1; round <= 3; round += 1) {
      last().opened();
      close(440);
      await vi.advanceTimersByTimeAsync(CONFLICT_MS);
    }
    last().opened();
    const said = states.length;
    world.confirmed = async () => false;
    close(440);
    await vi.advanceTimersByTimeAsync(5 * CONFLICT_MS);
    expect(sockets).toHaveLength(4);
    expect(states).toHaveLength(said);
  });

  test('after it was replaced, opens nothing before it is known whose the session is', async () => {
    const { connection, states, sockets, world, last, close } = setUp();
    connection.start();
    last().opened();
    const answer = Promise.withResolvers<boolean>();
    world.confirmed = () => answer.promise;
    close(440);
    await vi.advanceTimersByTimeAsync(5 * CONFLICT_MS);
    expect(sockets).toHaveLength(1);
    expect(states.at(-1)).toEqual({ status: 'STARTING', reason: 'conflict' });
    answer.resolve(true);
    await vi.advanceTimersByTimeAsync(CONFLICT_MS);
    expect(sockets).toHaveLength(2);
  });

  test('waits for its turn to connect, but not in the middle of a pairing, and not when it has stopped', async () => {
    const { connection, sockets, world, last, close } = setUp();
    world.crowded = true;
    connection.start();
    expect({ sockets: sockets.length, phase: connection.phase }).toEqual({ sockets: 0, phase: 'waiting' });
    for (const wish of world.wishes) wish();
    world.wishes.clear();
    last().qr('first');
    close(515);
    vi.advanceTimersByTime(0);
    expect(sockets).toHaveLength(2);
    last().opened();
    close(428);
    vi.advanceTimersByTime(CONFLICT_MS);
    expect({ sockets: sockets.length, wishes: world.wishes.size }).toEqual({ sockets: 2, wishes: 1 });
    await connection.stop();
    expect(world.wishes.size).toBe(0);
  });

  test('does not take a bug for an answer about ownership', () => {
    const { connection, ports, sockets } = setUp();
    vi.spyOn(ports, 'assertOwned').mockImplementation(() => {
      throw new TypeError('a bug');
    });
    expect(() => connection.start()).toThrow('a bug');
    expect(sockets).toHaveLength(0);
  });

  test('does not connect while it may not act', () => {
    const { connection, sockets, world, last, close } = setUp();
    connection.start();
    last().opened();
    world.owned = false;
    close(428);
    vi.advanceTimersByTime(5 * CONFLICT_MS);
    expect(sockets).toHaveLength(1);
    world.owned = true;
    vi.advanceTimersByTime(CONFLICT_MS);
    expect(sockets).toHaveLength(2);
  });

  test.each([
    [401, 'logged-out'],
    [403, 'banned'],
    [405, 'client-outdated'],
  ])('%i after a login is the end: %s', (code, reason) => {
    const { connection, states, sockets, last, close } = setUp();
    connection.start();
    last().opened();
    close(code);
    vi.advanceTimersByTime(CONFLICT_MS);
    expect(states.at(-1)).toMatchObject({ status: 'FAILED', reason });
    expect(sockets).toHaveLength(1);
  });

  test('401 before any login starts the pairing over', () => {
    const { connection, sockets, world, close } = setUp();
    connection.start();
    close(401);
    vi.advanceTimersByTime(0);
    expect({ forgotten: world.forgotten, sockets: sockets.length }).toEqual({ forgotten: 1, sockets: 2 });
  });

  test('a seventh QR code is not shown: the pairing has expired', () => {
    const { connection, states, world, last } = setUp();
    connection.start();
    for (let code = 1; code <= 7; code += 1) last().qr(String(code));
    expect(states.filter(({ status }) => status === 'SCAN_QR_CODE')).toHaveLength(6);
    expect(states.at(-1)).toMatchObject({ status: 'FAILED', reason: 'qr-expired' });
    expect(world.closed).toBe(1);
  });

  test('a library that cannot be used is a failure, not an exception', () => {
    const states: EngineState[] = [];
    const { ports, settings } = setUp();
    const connect = (): never => {
      throw new Error('this version has no such seam');
    };
    new Connection({ ...ports, connect, report: (state) => states.push(state) }, settings).start();
    expect(states.at(-1)).toMatchObject({ status: 'FAILED', reason: 'engine-crashed' });
  });

  test('waiting for the end of a drop ends with it, with its time, or at once where there is none', async () => {
    const { connection, last, close } = setUp();
    connection.start();
    await connection.mended(1_000);
    last().opened();
    await connection.mended(1_000);
    close(428);
    const mended = connection.mended(1_000).then(() => 'mended');
    const inVain = connection.mended(100).then(() => 'in vain');
    vi.advanceTimersByTime(100);
    expect(await inVain).toBe('in vain');
    vi.advanceTimersByTime(400);
    last().opened();
    expect(await mended).toBe('mended');
  });

  test('an old socket and a stopped connection say nothing', async () => {
    const { connection, states, sockets, last, close } = setUp();
    connection.start();
    close(515);
    vi.advanceTimersByTime(0);
    sockets[0]?.qr('stale');
    last().opened();
    await connection.stop();
    last().closed({ code: 428, message: 'late' });
    vi.advanceTimersByTime(CONFLICT_MS);
    expect(states.map(({ status }) => status)).toEqual(['STARTING', 'WORKING']);
    expect(sockets).toHaveLength(2);
  });
});

describe('a server that did not prove who it is', () => {
  const refusal = { code: undefined, message: 'not WhatsApp', distrust: 'server-identity' } as const;
  const REFUSED = { status: 'STARTING', reason: 'server-identity', message: 'not WhatsApp' };

  test('is told of at once, and tried again only after a long while, longer each time', () => {
    const { connection, states, sockets, last } = setUp();
    connection.start();
    last().opened();
    for (const wait of [30_000, 60_000, 120_000, 240_000, 300_000, 300_000]) {
      const before = sockets.length;
      last().closed(refusal);
      expect(states.at(-1)).toEqual(REFUSED);
      vi.advanceTimersByTime(wait - 1);
      expect(sockets).toHaveLength(before);
      vi.advanceTimersByTime(1);
      expect(sockets).toHaveLength(before + 1);
    }
    expect(states.map(({ status }) => status)).toEqual(['STARTING', 'WORKING', 'STARTING']);
  });

  test('is never tried again at once, whatever the dice say', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { connection, sockets, last } = setUp();
    connection.start();
    last().closed(refusal);
    vi.advanceTimersByTime(14_999);
    expect(sockets).toHaveLength(1);
  });

  test('takes no login and leaves no trace once WhatsApp is there again', () => {
    const { connection, states, sockets, world, last, close } = setUp();
    connection.start();
    last().opened();
    close(428);
    vi.advanceTimersByTime(500);
    last().closed(refusal);
    vi.advanceTimersByTime(30_000);
    last().opened();
    vi.advanceTimersByTime(BLIP_MS);
    expect(states).toEqual([
      { status: 'STARTING' },
      { status: 'WORKING', me: ME },
      REFUSED,
      { status: 'WORKING', me: ME },
    ]);
    expect({ forgotten: world.forgotten, loggedIn: world.loggedIn }).toEqual({ forgotten: 0, loggedIn: true });
    last().closed(refusal);
    vi.advanceTimersByTime(30_000);
    expect(sockets).toHaveLength(4);
  });

  test('is told of anew when it becomes a matter of the clock', () => {
    const { connection, states, last } = setUp();
    connection.start();
    last().closed(refusal);
    vi.advanceTimersByTime(30_000);
    last().closed({ code: undefined, message: 'check the clock', distrust: 'server-identity-clock' });
    expect(states.slice(1)).toEqual([
      REFUSED,
      { status: 'STARTING', reason: 'server-identity-clock', message: 'check the clock' },
    ]);
  });

  test('ends a pairing for good', () => {
    const { connection, states, sockets, last } = setUp();
    connection.start();
    last().qr('first');
    last().closed({ code: undefined, message: 'forged', distrust: 'pairing-unproven' });
    vi.advanceTimersByTime(600_000);
    expect(states.at(-1)).toEqual({ status: 'FAILED', reason: 'pairing-unproven', message: 'forged' });
    expect(sockets).toHaveLength(1);
  });
});

describe('while too much waits for the bus', () => {
  test('no socket is opened, and that is the reason it gives', () => {
    const { connection, world, sockets, states, last, close } = setUp();
    connection.start();
    last().opened();
    world.room = false;
    close(undefined);
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
    expect(states.at(-1)).toEqual({ status: 'STARTING', reason: 'events-waiting' });
    expect(states.filter(({ status }) => status === 'STARTING')).toHaveLength(3);
    world.room = true;
    vi.advanceTimersByTime(2_000);
    expect(sockets).toHaveLength(2);
    last().opened();
    expect(states.at(-1)).toMatchObject({ status: 'WORKING' });
  });
});
