import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('../../engine-host/image/debian-packages.sh', import.meta.url));
/** Of which Debian's smallest systems consist, and with them the base image. */
const BASE_PACKAGES = ['?essential', '?priority(required)', 'apt'];
const LINKS = ['bin', 'sbin', 'lib', 'lib64'];

/** apt could not get something: there is no mirror. */
export const NO_MIRROR =
  /Could not resolve|Could not connect|Unable to connect|Connection (?:failed|timed out)|Failed to fetch/;

/** Why packages for the base image cannot be had here; undefined where they can, as far as one can tell without asking. */
export function lackingForPackages(baseImage: string): string | undefined {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const codename = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1] ?? 'none';
  const isSame = /^ID=debian$/m.test(release) && baseImage.split('-').includes(codename);
  if (!isSame) return `its packages are those of another Debian than this machine is (${baseImage})`;
  const hasTools = ['apt-get', 'dpkg-deb'].every((tool) => spawnSync(tool, ['--version']).status === 0);
  return hasTools ? undefined : 'there is no apt-get here';
}

/** A Debian system without anything that is not on all of them: what the base image is but for Node. */
export async function smallestDebian(architecture: string, folder: string): Promise<void> {
  // PRESENT is empty: nothing is there already.
  await run('sh', [SCRIPT, architecture, folder, ...BASE_PACKAGES], { env: { PATH: process.env.PATH, PRESENT: '' } });
  for (const link of LINKS) if (existsSync(join(folder, 'usr', link))) await symlink(`usr/${link}`, join(folder, link));
}
