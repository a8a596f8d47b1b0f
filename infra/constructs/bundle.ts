import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildSync, type Metafile } from 'esbuild';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const NODE_HTTP = './infra/constructs/node-http.cjs';

/** Libraries in CommonJS ask for Node's modules with `require`, which an ES module has only if it makes it. */
const BANNER =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);";

/** A function as it is uploaded: `index.mjs`, the parts that it loads, and what else lies beside it. */
export interface Bundle {
  /** The function's folder below `functions/`. */
  readonly entry: string;
  /** Folder with the files. */
  readonly path: string;
  /** Of the code alone. */
  readonly bytes: number;
  readonly gzipBytes: number;
  /** What is inside, by package or folder, the largest first. */
  readonly contents: readonly { readonly of: string; readonly bytes: number }[];
}

/** Files of a package that a function reads when it runs. */
export interface BundledFiles {
  readonly package: string;
  readonly files: readonly string[];
}

const bundles = new Map<string, Bundle>();
let folder: string | undefined;

/** All that has been bundled in this process. */
export function bundlesMade(): readonly Bundle[] {
  return [...bundles.values()];
}

/**
 * Bundles `functions/<entry>/main.ts` with everything it needs into ES modules. Each entry once in a process, however
 * many stages want it.
 */
export function bundle(entry: string, files?: BundledFiles): Bundle {
  const known = bundles.get(entry);
  if (known !== undefined) return known;
  const path = join(bundleFolder(), entry.replaceAll('/', '-'));
  const { metafile } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: [`functions/${entry}/main.ts`],
    outdir: path,
    entryNames: 'index',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What is imported only when it is first used is a file of its own, which a cold start does not read.
    splitting: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'],
    alias: { 'node:http': NODE_HTTP, http: NODE_HTTP },
    banner: { js: BANNER },
    legalComments: 'none',
    logLevel: 'error',
    metafile: true,
  });
  if (files !== undefined) copyFiles(files, path);
  const loaded = loadedOutputs(metafile);
  const unloaded = Object.keys(metafile.outputs).filter((file) => !loaded.has(file));
  for (const file of unloaded) rmSync(join(ROOT, file));
  const code = [...loaded.keys()].map((file) => readFileSync(join(ROOT, file)));
  const inputs = [...loaded.values()].flatMap((output) => Object.entries(output.inputs));
  const made = {
    entry,
    path,
    bytes: sum(code.map(({ length }) => length)),
    gzipBytes: sum(code.map((file) => gzipSync(file).length)),
    contents: contentsOf(inputs),
  };
  bundles.set(entry, made);
  return made;
}

/**
 * The files that are loaded at the start or may be later, by path. Of what is imported dynamically esbuild makes a file
 * also where it leaves out whoever imports it, as all of the SDK that is for browsers.
 */
function loadedOutputs({ outputs }: Metafile): ReadonlyMap<string, Metafile['outputs'][string]> {
  const loaded = new Map<string, Metafile['outputs'][string]>();
  const visit = (file: string): void => {
    const output = outputs[file];
    if (output === undefined || loaded.has(file)) return;
    loaded.set(file, output);
    for (const { path } of output.imports) visit(path);
  };
  for (const [file, { entryPoint }] of Object.entries(outputs)) if (entryPoint?.startsWith('functions/')) visit(file);
  return loaded;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

function copyFiles({ package: name, files }: BundledFiles, path: string): void {
  const source = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  const target = join(path, 'node_modules', name);
  mkdirSync(target, { recursive: true });
  for (const file of ['package.json', ...files]) cpSync(join(source, file), join(target, file));
}

function contentsOf(inputs: readonly (readonly [string, { readonly bytesInOutput: number }])[]): Bundle['contents'] {
  const sums = new Map<string, number>();
  for (const [input, { bytesInOutput }] of inputs) {
    const of = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? input.split('/').slice(0, 2).join('/');
    sums.set(of, (sums.get(of) ?? 0) + bytesInOutput);
  }
  return [...sums].map(([of, bytes]) => ({ of, bytes })).sort((a, b) => b.bytes - a.bytes);
}

/** Of this process: the CDK copies what is in it into its own output. */
function bundleFolder(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'trunkline-bundles-'));
    process.on('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return folder;
}
