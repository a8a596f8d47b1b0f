import { expect, it } from 'vitest';
import { createThrottle } from './throttle.ts';

it('gives every caller a bucket that fills up again over time', () => {
  let now = 0;
  const allowed = createThrottle({ rate: 2, burst: 2 }, () => now);
  expect([allowed('a'), allowed('a'), allowed('a'), allowed('b')]).toEqual([true, true, false, true]);
  now = 500;
  expect([allowed('a'), allowed('a')]).toEqual([true, false]);
  now = 60_000;
  expect([allowed('a'), allowed('a'), allowed('a')]).toEqual([true, true, false]);
});
