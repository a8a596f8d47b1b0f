import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConnectLimiter } from './connect-limiter.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const limiter = new ConnectLimiter({ clock: { monotonic: () => performance.now() }, perHost: 50, perFleet: 300 });
  const opened: string[] = [];
  const ask = (name: string) => limiter.once(() => opened.push(name));
  return { limiter, opened, ask };
}

test('lets a second’s worth through at once, then opens them in order at the rate', () => {
  const { opened, ask } = setUp();
  for (let index = 0; index < 500; index += 1) ask(String(index));
  const atOnce = opened.length;
  expect(atOnce).toBeGreaterThan(40);
  expect(atOnce).toBeLessThan(65);
  vi.advanceTimersByTime(4_000);
  expect(opened.length - atOnce).toBeGreaterThan(170);
  expect(opened.length - atOnce).toBeLessThan(230);
  vi.advanceTimersByTime(6_000);
  expect(opened).toEqual(Array.from({ length: 500 }, (_, index) => String(index)));
});

test('is a little irregular', () => {
  const { opened, ask } = setUp();
  for (let index = 0; index < 200; index += 1) ask(String(index));
  const pauses = new Set<number>();
  for (let [before, since] = [opened.length, 0]; opened.length < 200; since += 1) {
    vi.advanceTimersByTime(1);
    if (opened.length === before) continue;
    pauses.add(since);
    [before, since] = [opened.length, 0];
  }
  expect(pauses.size).toBeGreaterThan(5);
});

test('shares what the fleet may do with the hosts that live', () => {
  const { limiter, opened, ask } = setUp();
  limiter.share(100);
  for (let index = 0; index < 100; index += 1) ask(String(index));
  const atOnce = opened.length;
  expect(atOnce).toBeLessThan(6);
  vi.advanceTimersByTime(10_000);
  expect(opened.length - atOnce).toBeGreaterThan(24);
  expect(opened.length - atOnce).toBeLessThan(37);
  limiter.share(3);
  vi.advanceTimersByTime(3_000);
  expect(opened).toHaveLength(100);
});

test('serves one after another slowly also when its part is less than one a second', () => {
  const { limiter, opened, ask } = setUp();
  limiter.share(1_000);
  for (const name of ['a', 'b', 'c']) ask(name);
  expect(opened).toEqual(['a']);
  vi.advanceTimersByTime(12_000);
  expect(opened).toEqual(['a', 'b', 'c']);
});

test('a wish that is taken back costs nobody anything', () => {
  const { opened, ask } = setUp();
  const takeBack = Array.from({ length: 1_000 }, (_, index) => ask(String(index)));
  const atOnce = opened.length;
  for (const undo of takeBack) undo();
  ask('late');
  vi.advanceTimersByTime(100);
  expect(opened.slice(atOnce)).toEqual(['late']);
});
