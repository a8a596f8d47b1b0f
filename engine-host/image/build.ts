import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { bundleHost } from './bundle.ts';
import { licenceTexts } from './licence-texts.ts';
import { lockedPackages } from './locked-packages.ts';

/** Ship machine code of their own, so they are installed beside the bundle instead of going into it. */
const NATIVE = ['sharp'];

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
  dependencies: z.record(z.string(), z.string()),
});
const lockSchema = z.looseObject({
  lockfileVersion: z.number(),
  packages: z.record(z.string(), z.looseObject({})),
});

/**
 * Writes what an engine host's image holds: the bundle in the sources' folders, a manifest and a lock file with the
 * native packages alone (`npm ci` there completes it), licences.
 */
async function build(out: string): Promise<void> {
  const manifest = manifestSchema.parse(await readJson(join(ROOT, 'package.json')));
  const lock = lockSchema.parse(await readJson(join(ROOT, 'package-lock.json')));
  await mkdir(out, { recursive: true });
  const { bytes, packages } = await bundleHost(ROOT, join(out, 'engine-host/host'), NATIVE);

  const { dependencies: all, ...about } = manifest;
  const dependencies = Object.fromEntries(NATIVE.map((name) => [name, versionOf(name, all)]));
  const root = { ...about, private: true, type: 'module', dependencies };
  await writeJson(join(out, 'package.json'), root);
  await writeJson(join(out, 'package-lock.json'), {
    ...lock,
    packages: { '': root, ...lockedPackages(NATIVE, lock.packages) },
  });
  for (const file of ['LICENSE', 'NOTICE']) await cp(join(ROOT, file), join(out, file));
  await writeFile(join(out, 'THIRD-PARTY-LICENCES'), await licenceTexts(packages));
  process.stdout.write(`${out}: ${(bytes / 1e6).toFixed(1)} MB of code from ${packages.length} packages\n`);
}

function versionOf(name: string, dependencies: Readonly<Record<string, string>>): string {
  const version = dependencies[name];
  if (version === undefined) throw new Error(`${name} is not a dependency.`);
  return version;
}

const readJson = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));
const writeJson = (path: string, value: unknown) => writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);

const [out] = process.argv.slice(2);
if (out === undefined) {
  process.stderr.write('Name the folder to write to.\n');
  process.exit(1);
}
await build(out);
