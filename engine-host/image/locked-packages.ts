import * as z from 'zod';

const entrySchema = z.looseObject({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});

/**
 * The part of a lock file's `packages` that these packages need, for every platform, as npm nests them.
 * @throws if the lock file does not have one of them
 */
export function lockedPackages(
  names: readonly string[],
  locked: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  const waiting = names.map((name) => ({ name, from: '' }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const place = placeOf(next.name, next.from, locked);
    if (place === undefined) throw new Error(`The lock file has no ${next.name} for ${next.from || 'the project'}.`);
    if (place in found) continue;
    found[place] = locked[place];
    const { dependencies, optionalDependencies } = entrySchema.parse(locked[place]);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) waiting.push({ name, from: place });
  }
  return found;
}

/** Where Node would find it: in the nearest `node_modules` upwards. */
function placeOf(name: string, from: string, locked: Readonly<Record<string, unknown>>): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (place in locked) return place;
    if (folder === '') return undefined;
  }
}
