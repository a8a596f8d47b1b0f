import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideHosts, type HostLimits, type HostNeed, hostsNeeded } from './host-count.ts';

const MINUTE = 60_000;
const LIMITS: HostLimits = {
  unitsPerHost: 500,
  warmSpares: 1,
  minHosts: 0,
  maxHosts: 10,
  scaleInAfterMs: 15 * MINUTE,
};

const anyLimits = fc
  .record({
    unitsPerHost: fc.integer({ min: 1, max: 3_000 }),
    warmSpares: fc.integer({ min: 0, max: 3 }),
    minHosts: fc.integer({ min: 0, max: 5 }),
    maxHosts: fc.integer({ min: 0, max: 50 }),
    scaleInAfterMs: fc.integer({ min: 1, max: 30 }).map((minutes) => minutes * MINUTE),
  })
  .filter(({ minHosts, maxHosts }) => minHosts <= maxHosts);
const anyUnits = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 100_000, noNaN: true }));
/** What was needed at each of a number of looks, and how long after the one before. */
const anyHistory = fc.array(
  fc.record({ after: fc.integer({ min: 0, max: 10 * MINUTE }), hosts: fc.integer({ min: 0, max: 12 }) }),
  { maxLength: 60 },
);

function looks(history: readonly { readonly after: number; readonly hosts: number }[]): readonly HostNeed[] {
  let at = 1_000_000;
  return history.map(({ after, hosts }) => {
    at += after;
    return { at, hosts };
  });
}

/** The decision at each look. */
function decisions(needs: readonly HostNeed[], limits: HostLimits): readonly number[] {
  let kept: readonly HostNeed[] = [];
  return needs.map((need) => {
    const decision = decideHosts(kept, need, limits);
    kept = decision.needs;
    return decision.hosts;
  });
}

describe('the hosts that a load needs', () => {
  it.each([
    [0, 0],
    [0.7, 2],
    [1, 2],
    [500, 2],
    [501, 3],
    [4_500, 10],
    [1_000_000, 10],
  ])('%d units: %d hosts', (units, hosts) => {
    expect(hostsNeeded(units, LIMITS)).toBe(hosts);
  });

  it('are kept for want of load only where somebody asked for it', () => {
    expect(hostsNeeded(0, { ...LIMITS, minHosts: 2 })).toBe(2);
    expect(hostsNeeded(10, { ...LIMITS, minHosts: 2, warmSpares: 0 })).toBe(2);
    expect(hostsNeeded(10, { ...LIMITS, warmSpares: 0 })).toBe(1);
  });

  it('grow with the load and stay within the bounds', () => {
    fc.assert(
      fc.property(anyLimits, anyUnits, anyUnits, (limits, one, other) => {
        const [few, many] = [hostsNeeded(Math.min(one, other), limits), hostsNeeded(Math.max(one, other), limits)];
        expect(few).toBeLessThanOrEqual(many);
        expect(few).toBeGreaterThanOrEqual(limits.minHosts);
        expect(many).toBeLessThanOrEqual(limits.maxHosts);
      }),
    );
  });

  it('carry the load even without the spares, unless the bound forbids it', () => {
    fc.assert(
      fc.property(anyLimits, anyUnits, (limits, units) => {
        const hosts = hostsNeeded(units, limits);
        if (hosts === limits.maxHosts) return;
        const spares = units > 0 ? limits.warmSpares : 0;
        expect((hosts - spares) * limits.unitsPerHost).toBeGreaterThanOrEqual(units);
        if (units === 0) expect(hosts).toBe(limits.minHosts);
      }),
    );
  });
});

describe('the decision', () => {
  it('is the most that was needed within the time that hosts stay', () => {
    fc.assert(
      fc.property(anyHistory, (history) => {
        const needs = looks(history);
        const expected = needs.map(({ at }, index) => {
          const recent = needs.slice(0, index + 1).filter((need) => at - need.at < LIMITS.scaleInAfterMs);
          return Math.min(LIMITS.maxHosts, Math.max(...recent.map(({ hosts }) => hosts)));
        });
        expect(decisions(needs, LIMITS)).toEqual(expected);
      }),
    );
  });

  it('grows at once, and takes back a growth no sooner than after that time', () => {
    fc.assert(
      fc.property(anyHistory, (history) => {
        const needs = looks(history);
        const made = decisions(needs, LIMITS);
        for (const [index, hosts] of made.entries()) {
          const need = needs[index] ?? { at: 0, hosts: 0 };
          expect(hosts).toBeGreaterThanOrEqual(Math.min(need.hosts, LIMITS.maxHosts));
          if (hosts <= (made[index - 1] ?? 0)) continue;
          const soon = made.filter((_, later) => {
            const at = needs[later]?.at ?? 0;
            return later > index && at - need.at < LIMITS.scaleInAfterMs;
          });
          for (const later of soon) expect(later).toBeGreaterThanOrEqual(hosts);
        }
      }),
    );
  });

  it('does not move with a load that swings around a limit', () => {
    const swinging = Array.from({ length: 200 }, (_, minute) => ({
      at: minute * MINUTE,
      hosts: hostsNeeded(minute % 2 === 0 ? 501 : 500, LIMITS),
    }));
    expect(new Set(decisions(swinging, LIMITS))).toEqual(new Set([3]));
  });

  it('remembers no more than one need for each number of hosts', () => {
    fc.assert(
      fc.property(anyHistory, (history) => {
        let kept: readonly HostNeed[] = [];
        for (const need of looks(history)) kept = decideHosts(kept, need, LIMITS).needs;
        expect(new Set(kept.map(({ hosts }) => hosts)).size).toBe(kept.length);
      }),
    );
  });

  it('keeps to a bound that was lowered since', () => {
    const before = decideHosts([], { at: 0, hosts: 9 }, LIMITS).needs;
    expect(decideHosts(before, { at: MINUTE, hosts: 1 }, { ...LIMITS, maxHosts: 4 }).hosts).toBe(4);
  });
});
