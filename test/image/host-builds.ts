import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lackingForPackages, NO_MIRROR, smallestDebian } from './debian.ts';
import { copyContext } from './docker-context.ts';
import { parseDockerfile } from './dockerfile.ts';
import { type BuiltImage, PlainBuild, StepError } from './plain-build.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** npm could not get a package: it is not in its cache, and there is no registry. */
const NO_REGISTRY = /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/;
/** Stages that take packages out of Debian. */
const DEBIAN_STAGES = ['tini', 'browser-packages'];

/** Or why there is none. */
export type Built<T> =
  | { readonly made: T; readonly lacking?: undefined }
  | { readonly made?: undefined; readonly lacking: string };

export interface HostBuilds {
  readonly folder: string;
  readonly socket: Built<BuiltImage>;
  /** With the image, its base's stand-in: a folder with a small Debian. */
  readonly browser: Built<{ readonly image: BuiltImage; readonly base: string }>;
  remove(): Promise<void>;
}

/** Both images of the hosts' Dockerfile, built in plain folders. The socket host's comes without tini where there is no Debian. */
export async function buildHosts(): Promise<HostBuilds> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-image-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const context = join(folder, 'context');
    await copyContext(ROOT, context);
    const dockerfile = await readFile(join(ROOT, 'engine-host/Dockerfile'), 'utf8');
    const architecture = arch() === 'x64' ? 'amd64' : arch();
    const build = new PlainBuild({
      stages: parseDockerfile(dockerfile),
      context,
      folder: join(folder, 'stages'),
      args: { TARGETARCH: architecture },
    });
    const withoutDebian = await lackingOfDebian(build, /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile)?.[1] ?? '');
    if (withoutDebian !== undefined) build.without(DEBIAN_STAGES);
    const socket = await attempt(
      () => build.stage('socket'),
      NO_REGISTRY,
      'npm ci found no registry, and its cache has not everything',
    );
    if (socket.lacking !== undefined) return { folder, socket, browser: socket, remove };
    if (withoutDebian !== undefined) return { folder, socket, browser: { lacking: withoutDebian }, remove };
    const base = join(folder, 'base');
    const [image] = await Promise.all([build.stage('browser'), smallestDebian(architecture, base)]);
    return { folder, socket, browser: { made: { image, base } }, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function lackingOfDebian(build: PlainBuild, baseImage: string): Promise<string | undefined> {
  const lacking = lackingForPackages(baseImage);
  if (lacking !== undefined) return lacking;
  return (await attempt(() => build.stage('tini'), NO_MIRROR, 'apt found no mirror of Debian')).lacking;
}

async function attempt<T>(make: () => Promise<T>, excuse: RegExp, lacking: string): Promise<Built<T>> {
  try {
    return { made: await make() };
  } catch (error) {
    if (error instanceof StepError && excuse.test(error.output)) return { lacking };
    throw error;
  }
}

/** Paths below a folder; links are not files. */
export async function filesBelow(
  folder: string,
): Promise<readonly { readonly path: string; readonly bytes: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return await Promise.all(
    files.map(async (path) => ({ path: path.slice(folder.length + 1), bytes: (await stat(path)).size })),
  );
}
