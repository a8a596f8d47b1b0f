import { describe, expect, it } from 'vitest';
import {
  breakerDelayMs,
  limitedDelayMs,
  permanentRetryDelayMs,
  retryDelayMs,
  WEBHOOK_WINDOW_MS,
} from './webhook-schedule.ts';

const HOUR = 3_600_000;

/** All delays until there is none. */
function delays(retries: Parameters<typeof retryDelayMs>[0], random = 0.5): readonly number[] {
  const all: number[] = [];
  for (let failures = 1; ; failures += 1) {
    const delay = retryDelayMs(retries, failures, random);
    if (delay === undefined) return all;
    all.push(delay);
  }
}
const sum = (all: readonly number[]) => all.reduce((total, one) => total + one, 0);

describe('without a policy', () => {
  it('there are more than 20 tries, which end within 72 hours and not long before', () => {
    expect(delays(null).length + 1).toBe(24);
    for (const random of [0, 0.5, 0.999]) expect(sum(delays(undefined, random))).toBeGreaterThan(60 * HOUR);
    expect(sum(delays(undefined))).toBeLessThanOrEqual(WEBHOOK_WINDOW_MS);
  });

  it('delays grow, and vary by a tenth', () => {
    expect(delays(null)).toEqual(delays(null).toSorted((a, b) => a - b));
    expect(delays(null).slice(0, 3)).toEqual([5_000, 15_000, 30_000]);
    expect([delays(null, 0)[0], delays(null, 1)[0]]).toEqual([4_500, 5_500]);
  });
});

describe('WAHA’s policies', () => {
  it.each([
    [{ policy: 'constant', delaySeconds: 2, attempts: 3 }, [2_000, 2_000, 2_000]],
    [{ policy: 'linear', delaySeconds: 2, attempts: 3 }, [2_000, 4_000, 6_000]],
    [{ policy: 'exponential', delaySeconds: 2, attempts: 4 }, [2_000, 4_000, 8_000, 16_000]],
    [{ policy: 'constant', delaySeconds: 0, attempts: 1 }, [1_000]],
    [{ attempts: 0 }, []],
    [{ policy: 'exponential', delaySeconds: 86_400, attempts: 2 }, [24 * HOUR, 24 * HOUR]],
  ] as const)('%o: %o', (retries, expected) => {
    expect(delays(retries)).toEqual(expected);
  });

  it('are 15 tries after 2 seconds where nothing else is said', () => {
    expect(delays({})).toEqual(Array.from({ length: 15 }, () => 2_000));
  });

  it('vary by a fifth when they are exponential', () => {
    const retries = { policy: 'exponential', delaySeconds: 10, attempts: 1 } as const;
    expect([delays(retries, 0), delays(retries, 1)]).toEqual([[8_000], [12_000]]);
  });
});

it('what the receiver calls wrong has three tries', () => {
  const of = (failures: number) => permanentRetryDelayMs(null, failures, 0.5);
  expect([of(1), of(2), of(3)]).toEqual([5_000, 15_000, undefined]);
  expect(permanentRetryDelayMs({ attempts: 0 }, 1, 0.5)).toBeUndefined();
});

it('an event whose receiver asks for time again and again waits for 15 minutes in the end', () => {
  expect([1, 2, 9, 100].map((times) => limitedDelayMs(times, 0.5))).toEqual([5_000, 10_000, 900_000, 900_000]);
  expect([limitedDelayMs(1, 0), limitedDelayMs(1, 1)]).toEqual([4_500, 5_500]);
});

it('an endpoint is left alone from five failures on, for 15 minutes in the end', () => {
  expect(breakerDelayMs(4, 0.5)).toBeUndefined();
  expect([5, 6, 13, 14, 100].map((failures) => breakerDelayMs(failures, 0.5))).toEqual([
    5_000, 10_000, 900_000, 900_000, 900_000,
  ]);
});
