import { describe, expect, it } from 'vitest';
import { CHAOS_KINDS, planChaos, usualCounts } from './chaos-plan.ts';
import { callOf, KILL_CALLS, type KillPoint } from './kill-points.ts';

const counts = usualCounts(600, 200, new Set(CHAOS_KINDS));
const plan = planChaos({ seed: 7, seconds: 600, counts });

describe('a plan', () => {
  it('is the same for the same seed and another for another', () => {
    expect(planChaos({ seed: 7, seconds: 600, counts })).toEqual(plan);
    expect(planChaos({ seed: 8, seconds: 600, counts })).not.toEqual(plan);
  });

  it('has as many of each kind as asked for, in order, within the time', () => {
    for (const kind of CHAOS_KINDS) expect(plan.filter((action) => action.kind === kind)).toHaveLength(counts[kind]);
    expect(plan.map(({ at }) => at)).toEqual(plan.map(({ at }) => at).sort((a, b) => a - b));
    expect(plan.every(({ at }) => at >= 0 && at < 600_000)).toBe(true);
  });

  it('keeps one kind as it is when there is more of another', () => {
    const more = planChaos({ seed: 7, seconds: 600, counts: { ...counts, kill: 10 } });
    const drains = (actions: typeof plan) => actions.filter(({ kind }) => kind === 'drain');
    expect(drains(more)).toEqual(drains(plan));
  });

  it('kills a host and leaves it in peace for a while, then kills one after the other', () => {
    const kills = plan.filter(({ kind }) => kind === 'kill').map(({ at }) => at);
    const pauses = kills.slice(1).map((at, index) => at - (kills[index] ?? 0));
    expect(pauses.filter((pause) => pause > 15_000)).toHaveLength(Math.ceil(counts.kill / 13));
    expect(pauses.filter((pause) => pause < 3_000).length).toBeGreaterThan(counts.kill * 0.8);
  });

  it('kills at about every point in half of the cases, or only at those that are asked for', () => {
    const points = (killAt?: readonly KillPoint[]) =>
      planChaos({ seed: 7, seconds: 600, counts, ...(killAt && { killAt }) }).flatMap((action) =>
        action.kind === 'kill' ? (action.point ?? []) : [],
      );
    expect(points().length).toBeGreaterThan(counts.kill * 0.4);
    expect(points().length).toBeLessThan(counts.kill * 0.6);
    expect(new Set(points().map(callOf)).size).toBe(KILL_CALLS.length);
    expect(points(['queue-done:after'])).toEqual(Array.from({ length: counts.kill }, () => 'queue-done:after'));
  });

  it('never drops receipts, among which are requests to send again', () => {
    const drops = plan.filter((action) => action.kind === 'stanza' && action.fault === 'drop');
    expect(drops.length).toBeGreaterThan(0);
    expect(drops.every((action) => action.kind === 'stanza' && action.tag === 'message')).toBe(true);
  });

  it('has only the kinds that are wanted', () => {
    const only = planChaos({ seed: 1, seconds: 60, counts: usualCounts(60, 50, new Set(['drain'])) });
    expect(new Set(only.map(({ kind }) => kind))).toEqual(new Set(['drain']));
  });
});
