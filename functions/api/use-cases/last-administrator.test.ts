import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MemoryApiKeyStore } from '#shared/adapters/memory/memory-api-key-store.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { LastAdministratorError } from '../api-errors.ts';
import { TestApi } from '../test-support/test-api.ts';
import { deleteKey, updateKey } from './change-key.ts';
import { createKey, type KeysDeps } from './create-key.ts';
import { isLasting } from './last-administrator.ts';

const LATER = 4_000_000_000_000;
const removals = {
  deleted: (deps: KeysDeps, id: string) => deleteKey(deps, id),
  switchedOff: (deps: KeysDeps, id: string) => updateKey(deps, id, { isActive: false }),
  demoted: (deps: KeysDeps, id: string) => updateKey(deps, id, { isAdmin: false }),
  limited: (deps: KeysDeps, id: string) => updateKey(deps, id, { expiresAt: LATER }),
} as const;
type Removal = keyof typeof removals;
const removal = fc.constantFrom<Removal>('deleted', 'switchedOff', 'demoted', 'limited');

/** The same store, whose every call happens when `when` says so, and then may be the last of its caller. */
function interrupted(keys: MemoryApiKeyStore, when: () => Promise<unknown>): MemoryApiKeyStore {
  return new Proxy(keys, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        await when();
        return await Reflect.apply(method, target, args);
      };
    },
  });
}

async function administrators(count: number) {
  const keys = new MemoryApiKeyStore();
  const api = new TestApi();
  const deps: KeysDeps = { ...api.deps, keys, readPepper: async () => api.pepper };
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) ids.push((await createKey(deps, { isAdmin: true })).row.id);
  const lasting = async () => (await keys.list()).filter(isLasting);
  return { keys, deps, ids, lasting };
}

it('stays, in whatever order the steps of those happen who take all away at the same time, or die', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ removal, dies: fc.option(fc.nat({ max: 6 })) }), { minLength: 2, maxLength: 4 }),
      fc.scheduler(),
      async (all, scheduler) => {
        const { keys, deps, ids, lasting } = await administrators(all.length);
        const outcomes = all.map(async ({ removal: kind, dies }, index) => {
          let calls = 0;
          const mine = interrupted(keys, async () => {
            await scheduler.schedule(Promise.resolve());
            calls += 1;
            if (dies !== null && calls > dies) throw new DependencyError('Killed');
          });
          await removals[kind]({ ...deps, keys: mine }, ids[index] ?? '');
        });
        for (const outcome of await scheduler.waitFor(Promise.allSettled(outcomes))) {
          if (outcome.status === 'fulfilled') continue;
          expect([LastAdministratorError, DependencyError]).toContain(outcome.reason.constructor);
        }
        const left = await lasting();
        expect(left.length).toBeGreaterThan(0);
        const marked = left.filter((row) => row.leaving);
        if (all.every(({ dies }) => dies === null)) expect(marked).toEqual([]);
        // Nothing is stuck: whatever was left behind, one after the other can go until the last.
        for (const { id } of left) await updateKey(deps, id, { name: 'seen' });
        for (const { id } of left.slice(1)) await deleteKey(deps, id);
        expect(await lasting()).toHaveLength(1);
      },
    ),
    { numRuns: 300 },
  );
});

it.each(Object.keys(removals) as readonly Removal[])('does not go: %s', async (kind) => {
  const { keys, deps, ids, lasting } = await administrators(1);
  const before = await keys.list();
  await expect(removals[kind](deps, ids[0] ?? '')).rejects.toBeInstanceOf(LastAdministratorError);
  expect(await keys.list()).toEqual(before);
  expect(await lasting()).toHaveLength(1);
});
