import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostRow } from '#shared/contracts/rows.ts';
import { observe, type Sightings, silentHosts } from './host-liveness.ts';

const row = (rvn: number, incarnation = 'one'): HostRow => ({
  hostId: 'b',
  incarnation,
  pool: 'socket',
  rvn,
  state: 'ACTIVE',
  load: 0,
  startedAt: 0,
  ttl: 0,
});

describe('observing hosts', () => {
  it('calls a host silent only when the same number was seen for the whole time', () => {
    let seen = observe(new Map(), [row(1)], 100);
    expect(silentHosts(seen, [row(1)], 7_099, 7_000)).toEqual([]);
    seen = observe(seen, [row(1)], 7_110);
    expect(silentHosts(seen, [row(1)], 7_100, 7_000)).toHaveLength(1);
    seen = observe(seen, [row(2)], 7_200);
    expect(silentHosts(seen, [row(2)], 14_199, 7_000)).toEqual([]);
  });

  it('takes a new incarnation with the same number for movement', () => {
    let seen = observe(new Map(), [row(1)], 0);
    seen = observe(seen, [row(1, 'two')], 6_000);
    expect(silentHosts(seen, [row(1, 'two')], 8_000, 7_000)).toEqual([]);
  });

  it('never calls a host silent that sent a good heartbeat within the silence', () => {
    const step = fc.record({ pause: fc.integer({ min: 1, max: 4_000 }), beats: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let now = 0;
        let rvn = 1;
        let lastBeat = 0;
        let seen: Sightings = new Map();
        for (const { pause, beats } of steps) {
          now += pause;
          if (beats) {
            rvn += 1;
            lastBeat = now;
          }
          const readAt = now;
          now += 5;
          seen = observe(seen, [row(rvn)], now);
          if (silentHosts(seen, [row(rvn)], readAt, 7_000).length > 0) expect(now - lastBeat).toBeGreaterThan(7_000);
        }
      }),
    );
  });
});
