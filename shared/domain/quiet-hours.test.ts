import { describe, expect, it } from 'vitest';
import { afterQuietHours, isTimeZone, minutesOfDay } from './quiet-hours.ts';

const night = { from: 22 * 60, to: 8 * 60 };

describe('afterQuietHours', () => {
  it('waits for the end of the night, across midnight', () => {
    const end = Date.UTC(2026, 0, 11, 8);
    for (const time of [Date.UTC(2026, 0, 10, 22), Date.UTC(2026, 0, 11, 3, 7, 9), Date.UTC(2026, 0, 11, 7, 59, 59)]) {
      expect(afterQuietHours(time, night, 'UTC')).toBe(end);
    }
    for (const time of [end, Date.UTC(2026, 0, 10, 21, 59, 59)]) expect(afterQuietHours(time, night, 'UTC')).toBe(time);
  });

  it('knows quiet hours within a day, and none', () => {
    const noon = { from: 12 * 60, to: 13 * 60 };
    expect(afterQuietHours(Date.UTC(2026, 0, 1, 12, 30), noon, 'UTC')).toBe(Date.UTC(2026, 0, 1, 13));
    const time = Date.UTC(2026, 0, 1, 12, 30);
    expect(afterQuietHours(time, { from: 750, to: 750 }, 'UTC')).toBe(time);
  });

  it('goes by the local clock, also in a night in which it changes', () => {
    const autumn = Date.UTC(2026, 9, 24, 21);
    expect(afterQuietHours(autumn, night, 'Europe/Berlin')).toBe(Date.UTC(2026, 9, 25, 7));
    const spring = Date.UTC(2026, 2, 28, 22);
    const end = afterQuietHours(spring, night, 'Europe/Berlin');
    expect(end).toBeGreaterThanOrEqual(Date.UTC(2026, 2, 29, 6));
    expect(end).toBeLessThanOrEqual(Date.UTC(2026, 2, 29, 7));
  });
});

describe('times and zones as people write them', () => {
  it('reads them', () => {
    expect(['08:00', '8:05', '23:59'].map(minutesOfDay)).toEqual([480, 485, 1439]);
    expect(['24:00', '8', '08:60', ''].map(minutesOfDay)).toEqual([undefined, undefined, undefined, undefined]);
    expect(['Europe/Berlin', 'UTC', 'Mars/Base', ''].map(isTimeZone)).toEqual([true, true, false, false]);
  });
});
