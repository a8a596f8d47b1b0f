import { afterAll, describe, expect, it } from 'vitest';
import { GUARDS, type Guard, isGuard, noticed } from './guards.ts';
import { SeedThreads } from './seed-threads.ts';
import { simulate } from './simulation.ts';

const SEEDS = 40;
/** Noticed in one run of hundreds; `--mutants` takes the time. */
const RARE: ReadonlySet<string> = new Set<Guard>(['registration']);
const GUARDS_TO_MISS = Object.keys(GUARDS)
  .filter(isGuard)
  .filter((guard) => !RARE.has(guard));

describe('the simulation', { timeout: 120_000 }, () => {
  const threads = new SeedThreads(2);
  afterAll(() => threads.close());

  it('breaks no rule in forty short runs', async () => {
    const sums = { takeOvers: 0, resent: 0, redelivered: 0, republished: 0 };
    for (let seed = 1; seed <= 40; seed += 1) {
      const { breaches, figures } = await simulate({ seed, steps: 150 });
      expect({ seed, breaches }).toEqual({ seed, breaches: [] });
      for (const name of ['takeOvers', 'resent', 'redelivered', 'republished'] as const) {
        sums[name] += figures[name] ?? 0;
      }
    }
    for (const [what, times] of Object.entries(sums)) expect([what, times > 0]).toEqual([what, true]);
  });

  it('breaks none where a shard is lost between the event log and the bus', async () => {
    for (const seed of [38, 232]) {
      const { breaches } = await simulate({ seed, steps: 400 });
      expect({ seed, breaches }).toEqual({ seed, breaches: [] });
    }
  });

  it('gives the same run for the same seed, in any thread and in the order that was asked for', async () => {
    const runs = [9, 7, 8, 7].map((seed) => ({ seed, steps: 100 }));
    const results = threads.run(runs);
    for (const run of runs) expect((await results.next()).value).toEqual(await simulate(run));
  });

  it.each(GUARDS_TO_MISS)('notices that %s is gone', async (without) => {
    let caught = false;
    for (let seed = 1; seed <= SEEDS && !caught; seed += 1) {
      const { breaches } = await simulate({ seed, steps: 500, without });
      caught = noticed(without, breaches) !== undefined;
    }
    expect(caught).toBe(true);
  });
});
