import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';

export interface HostBundle {
  readonly bytes: number;
  /** Folders of the packages whose code is in it. */
  readonly packages: readonly string[];
}

/** Asked for by libraries that do without where they are missing. */
const OPTIONAL = ['audio-decode', 'bufferutil', 'jimp', 'link-preview-js', 'supports-color', 'utf-8-validate'];
/** Libraries in CommonJS ask for Node's modules with `require`, which an ES module has only if it makes it. */
const BANNER =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);";

/**
 * Bundles the host with everything it needs, not minified: stacks stay readable.
 * @throws if it would ask for a package at run time that is neither `native` nor one its libraries can do without
 */
export async function bundleHost(root: string, outdir: string, native: readonly string[]): Promise<HostBundle> {
  const { metafile } = await build({
    absWorkingDir: root,
    // The heartbeat runs in a thread of its own, from a file of its own.
    entryPoints: ['engine-host/host/main.ts', 'engine-host/host/heartbeat/main.ts'],
    outdir,
    bundle: true,
    // Engines are imported where they are used.
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: [...native, ...OPTIONAL],
    banner: { js: BANNER },
    metafile: true,
    logLevel: 'warning',
  });
  const outputs = Object.values(metafile.outputs);
  const asked = outputs.flatMap(({ imports }) => imports.filter(({ external }) => external).map(({ path }) => path));
  const missing = asked.filter((path) => !isBuiltin(path) && !native.includes(path) && !OPTIONAL.includes(path));
  if (missing.length > 0) throw new Error(`Not in the bundle: ${[...new Set(missing)].join(', ')}.`);
  const folders = Object.keys(metafile.inputs).flatMap((input) => packageFolder(input) ?? []);
  return {
    bytes: outputs.reduce((sum, output) => sum + output.bytes, 0),
    packages: [...new Set(folders)].sort().map((folder) => join(root, folder)),
  };
}

/** `node_modules/@a/b/node_modules/c/lib/x.js` → `node_modules/@a/b/node_modules/c` */
function packageFolder(input: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
}
