import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConnectionWatch, type WatchFigures } from './connection-watch.ts';

const SETTINGS = { openingMs: 40_000, pingMs: 30_000, pingAnswerMs: 10_000 };

function setUp() {
  const world = { pings: 0, held: false, answer: undefined as Promise<unknown> | undefined };
  const deaths: WatchFigures[] = [];
  const watch = new ConnectionWatch(
    {
      ping: () => {
        world.pings += 1;
        return world.answer ?? new Promise(() => {});
      },
      isHeldBack: () => world.held,
      dead: (figures) => deaths.push(figures),
    },
    SETTINGS,
  );
  return { watch, world, deaths };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test('a connection that never says a word is dead after the time to open', async () => {
  const { watch, world, deaths } = setUp();
  watch.heard(false);
  await pass(39_999);
  expect(deaths).toEqual([]);
  await pass(1);
  expect({ deaths, pings: world.pings }).toEqual({ deaths: [{ silentMs: 40_000, roundTripMs: undefined }], pings: 0 });
  await pass(100_000);
  expect(deaths).toHaveLength(1);
});

test('pings at intervals that differ, and is content with the answers', async () => {
  const { watch, world, deaths } = setUp();
  watch.heard(true);
  vi.spyOn(Math, 'random').mockReturnValue(0);
  world.answer = Promise.resolve('pong');
  await pass(30_000);
  expect(world.pings).toBe(1);
  for (let round = 2; round <= 10; round += 1) {
    watch.heard(true);
    await pass(30_000);
    expect(world.pings).toBe(round);
  }
  watch.heard(true);
  world.answer = undefined;
  await pass(40_000);
  expect(deaths).toEqual([{ silentMs: expect.any(Number), roundTripMs: 0 }]);
});

test('silence after a ping is death; any frame is life, also one that is no answer', async () => {
  const { watch, world, deaths } = setUp();
  watch.heard(true);
  await pass(30_000);
  await pass(9_999);
  watch.heard(true);
  await pass(1);
  expect({ pings: world.pings, deaths }).toEqual({ pings: 1, deaths: [] });
  await pass(30_000);
  expect(world.pings).toBe(2);
  await pass(9_999);
  expect(deaths).toEqual([]);
  await pass(1);
  expect(deaths).toEqual([{ silentMs: 40_001, roundTripMs: undefined }]);
});

test('a ping that is held back proves nothing, nor does the time in which it was let out', async () => {
  const { watch, world, deaths } = setUp();
  watch.heard(true);
  world.held = true;
  await pass(30_000 + 95_000);
  world.held = false;
  await pass(5_000);
  expect(deaths).toEqual([]);
  // Seen only at the end: the frame takes a moment from the ping to the gate.
  world.held = true;
  await pass(11_000);
  world.held = false;
  await pass(9_500);
  expect(deaths).toEqual([]);
  await pass(10_000);
  expect(deaths).toHaveLength(1);
  expect(world.pings).toBe(1);
});

test('a closed connection is not watched', async () => {
  const { watch, world, deaths } = setUp();
  watch.stop();
  watch.heard(true);
  await pass(100_000);
  expect({ pings: world.pings, deaths }).toEqual({ pings: 0, deaths: [] });
});
