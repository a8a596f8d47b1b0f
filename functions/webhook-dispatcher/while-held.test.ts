import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DependencyError } from '#shared/domain/errors.ts';
import { whileHeld } from './while-held.ts';

const holds: (readonly [string, number])[] = [];
const warnings: unknown[] = [];
let isAway: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  holds.length = 0;
  warnings.length = 0;
  isAway = false;
});
afterEach(() => {
  vi.useRealTimers();
});

const deps = {
  wakes: {
    hold: async (receipt: string, seconds: number) => {
      holds.push([receipt, seconds]);
      if (isAway) throw new DependencyError('The queue is away');
    },
  },
  logger: { warn: (fields: unknown) => void warnings.push(fields) },
};

/** Work that ends when it is told to. */
function running(receiveCount = 1) {
  const end = Promise.withResolvers<void>();
  return { end, done: whileHeld({ receipt: 'receipt', receiveCount }, () => end.promise, deps) };
}

it('holds a wake-up for ten seconds again and again, so that whoever is killed is missed no longer', async () => {
  const { end, done } = running();
  expect(holds).toEqual([['receipt', 10]]);
  await vi.advanceTimersByTimeAsync(9_500);
  expect(holds).toEqual(Array.from({ length: 4 }, () => ['receipt', 10]));
  end.resolve();
  await done;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(holds).toHaveLength(4);
});

it.each([
  [1, 2],
  [3, 8],
  [12, 30],
])('has one that failed, received %i times, back after %i seconds', async (receiveCount, seconds) => {
  const { end, done } = running(receiveCount);
  end.reject(new Error('throttled'));
  await expect(done).rejects.toThrow('throttled');
  expect(holds).toEqual([
    ['receipt', 10],
    ['receipt', seconds],
  ]);
});

it('works on when the queue does not listen, and asks again', async () => {
  isAway = true;
  const { end, done } = running();
  await vi.advanceTimersByTimeAsync(3_000);
  end.resolve();
  await done;
  expect(warnings).toHaveLength(2);
});
