import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NotOwnerError } from '#shared/domain/errors.ts';
import { type Fate, JournalWorld, type Owner } from './journal-world.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const owner = fc.constantFrom(0, 0, 0, 1, 1, 2, 3);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('release' as const), times: fc.integer({ min: 1, max: 8 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pick' as const),
      pick: fc.nat({ max: 9 }),
      fate: fc.constantFrom<Fate>('works', 'works', 'fails', 'answer-lost', 'comes-late'),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('append' as const), owner }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('time' as const), ms: fc.constantFrom(200, 6_000, 61_000, 61_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('open' as const), again: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('crash' as const, 'close' as const), owner }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function perform(world: JournalWorld, what: Step): Promise<void> {
  if (what.do === 'release') {
    for (let time = 0; time < what.times; time += 1) await world.release(0, 'works');
  } else if (what.do === 'pick') await world.release(what.pick, what.fate);
  else if (what.do === 'time') vi.advanceTimersByTime(what.ms);
  else if (what.do === 'open') world.takeOver(what.again);
  else {
    const actor = world.owners.at(-1 - (what.owner % world.owners.length));
    if (actor === undefined) return;
    if (what.do === 'append') world.append(actor);
    else if (what.do === 'crash') world.crash(actor);
    else world.close(actor);
  }
  await world.settle();
}

/** Lets everything happen that still can, without faults. */
async function calmDown(world: JournalWorld, until: () => boolean = () => false): Promise<void> {
  for (let idle = 0; idle < 3 && !until(); ) {
    idle = world.parked === 0 ? idle + 1 : 0;
    await world.release(0, 'works');
    vi.advanceTimersByTime(6_000);
    await world.settle();
  }
}

/** What each owner found is what the one before it had after one of its appends, and not before one it was told of. */
function check(owners: readonly Owner[]): void {
  for (const { failure } of owners) if (failure !== undefined) expect(failure).toBeInstanceOf(NotOwnerError);
  const opened = owners.filter(({ views }) => views.length > 0);
  for (const [index, next] of opened.entries()) {
    const before = opened[index - 1];
    const found = next.views[0];
    const allowed = before === undefined ? [{}] : before.views.slice(before.durable);
    expect(allowed).toContainEqual(found);
  }
}

async function finish(world: JournalWorld): Promise<void> {
  await calmDown(world);
  const last = world.takeOver();
  await calmDown(world, () => last.state !== undefined);
  expect(last.failure).toBeUndefined();
  expect(last.views).toHaveLength(1);
  await calmDown(world);
  check(world.owners);
}

describe('a journal with several owners', () => {
  it('loses nothing that was durable and lets no owner in after the next, whatever fails', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }), async (steps) => {
        const world = new JournalWorld();
        await world.begin();
        world.takeOver();
        await world.settle();
        for (const what of steps) await perform(world, what);
        await finish(world);
      }),
      { numRuns: 200 },
    );
  }, 120_000);

  it('does not take a retired position for the end of the journal', async () => {
    const world = new JournalWorld();
    await world.begin();
    const first = world.takeOver();
    await calmDown(world);
    world.append(first);
    await calmDown(world);
    const next = world.takeOver();
    await world.settle();
    // The row and the only page of the journal: what is left to do is the seal.
    await world.release(0, 'works');
    await world.release(0, 'works');
    for (let time = 0; time < 2; time += 1) {
      world.append(first);
      await world.settle();
      await world.release(1, 'works');
    }
    vi.advanceTimersByTime(61_000);
    await world.settle();
    while (world.parked > 1) await world.release(1, 'works');
    expect(first.durable).toBe(3);
    await calmDown(world);
    expect(next.views).toEqual([first.views[3]]);
  });

  it.each(['works', 'fails'] as const)('survives a crash at every call, when that call %s', async (fate) => {
    for (let crashAt = 0; ; crashAt += 1) {
      const world = new JournalWorld();
      await world.begin();
      const first = world.takeOver();
      let calls = 0;
      const go = async () => {
        while (world.parked > 0 && !first.dead) {
          if (calls === crashAt) world.crash(first);
          await world.release(0, first.dead ? fate : 'works');
          calls += 1;
        }
      };
      await world.settle();
      await go();
      for (let round = 0; round < 4; round += 1) {
        world.append(first);
        world.append(first);
        await world.settle();
        world.append(first);
        await go();
        if (round !== 1) continue;
        vi.advanceTimersByTime(61_000);
        await world.settle();
        await go();
      }
      world.close(first);
      await world.settle();
      await go();
      const survived = !first.dead;
      await finish(world);
      if (!survived) continue;
      expect(first.durable).toBe(12);
      expect(calls).toBeGreaterThan(20);
      return;
    }
  });
});
