import { describe, expect, it } from 'vitest';
import { tooFewDelivered, type WatchedSend, withDelivered, withSent } from './pacing-deliveries.ts';
import { HOUR, MINUTE } from './pacing-profiles.ts';

const START = Date.UTC(2026, 5, 1, 12);

/** Sends a minute apart, of which so many are delivered. */
function history(sends: number, delivered: number): readonly WatchedSend[] {
  let watched: readonly WatchedSend[] = [];
  for (let count = 0; count < sends; count += 1) {
    const now = START + count * MINUTE;
    watched = withSent(watched, `m${count}`, now);
    if (count < delivered) watched = withDelivered(watched, `m${count}`, now + 1);
  }
  return watched;
}

describe('tooFewDelivered', () => {
  const later = START + 50 * MINUTE + HOUR;

  it('tells when less than 60 % of 50 sends were delivered', () => {
    expect(tooFewDelivered(history(50, 30), later)).toBeUndefined();
    expect(tooFewDelivered(history(50, 29), later)).toEqual({ delivered: 29, sends: 50 });
  });

  it('judges no less than 50, and none within its first hour', () => {
    expect(tooFewDelivered(history(49, 0), later)).toBeUndefined();
    expect(tooFewDelivered(history(50, 0), START + 49 * MINUTE + HOUR - 1)).toBeUndefined();
    expect(tooFewDelivered(history(50, 0), START + 49 * MINUTE + HOUR)).toBeDefined();
  });

  it('looks at the newest only', () => {
    const bad = history(50, 0);
    const mended = Array.from({ length: 30 }, (_, index) => `new${index}`).reduce(
      (watched, id) => withDelivered(withSent(watched, id, later), id, later),
      bad,
    );
    expect(tooFewDelivered(mended, later)).toBeDefined();
    expect(tooFewDelivered(mended, later + HOUR)).toBeUndefined();
  });

  it('takes receipts in any order with what they are for, and those of other messages for nothing', () => {
    let watched = history(20, 0);
    for (let count = 0; count < 30; count += 1) {
      watched = withSent(withDelivered(watched, `early${count}`, START), `early${count}`, START);
    }
    expect(tooFewDelivered(watched, later)).toBeUndefined();
    let others = history(50, 0);
    for (let count = 0; count < 100; count += 1) others = withDelivered(others, `phone${count}`, START + 50 * MINUTE);
    expect(tooFewDelivered(others, later + HOUR)).toEqual({ delivered: 0, sends: 50 });
  });

  it('counts no message twice, and remembers a bounded number of them', () => {
    let watched: readonly WatchedSend[] = [];
    for (let count = 0; count < 2_000; count += 1) watched = withSent(watched, `m${count % 1_000}`, START);
    expect(watched).toHaveLength(650);
    expect(new Set(watched.map(({ id }) => id)).size).toBe(650);
    expect(withSent(watched, 'later', START + HOUR)).toHaveLength(51);
  });
});
