import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BuiltImage } from './plain-build.ts';

const run = promisify(execFile);
const NODE = '/usr/local/bin/node';
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** As much as Fargate has. */
const SHARED_MEMORY_MB = 64;

/**
 * As ECS starts a container of ours: its root and nothing else, read-only, one volume at /tmp, little shared memory, no
 * capability and no way to any. Network and processes are the machine's. Arguments: the root, the folder at /tmp, Node, user, working directory, command.
 */
const ENTER = `set -eu
root=$1 tmp=$2 node=$3 user=$4 workdir=$5
shift 5
mount --bind "$root" "$root"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o size=${SHARED_MEMORY_MB}m tmpfs "$root/dev/shm"
mount --bind "$tmp" "$root/tmp"
mount --bind "$node" "$root${NODE}"
mount -o remount,bind,ro "$root"
exec chroot "$root" setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs --bounding-set=-all \\
  --inh-caps=-all env --chdir="$workdir" "$@"`;

/** Why no container can be made here; undefined where one can. */
export function lackingForContainers(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'a container is made only by root of a Linux machine';
  const { error, status } = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return error === undefined && status === 0 ? undefined : 'this machine lets nobody mount anything';
}

export interface Container {
  /** Runs a program as the image's user, with its environment and this. The process is the program. */
  start(
    command: readonly string[],
    environment?: Readonly<Record<string, string>>,
  ): {
    readonly child: ChildProcess;
    /** Its exit code; null: a signal. */
    readonly ended: Promise<number | null>;
  };
  /** Runs it to its end. */
  run(command: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Ended>;
  /** The folder that is its /tmp. */
  readonly tmp: string;
  /** Asks what still runs to end, and waits for it. */
  close(): Promise<void>;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * @param base what stands for the image that this one is built on: the files of a small Debian, without Node
 * @param folder gets the files of both, as links
 */
export async function makeContainer(image: BuiltImage, base: string, folder: string): Promise<Container> {
  const [root, tmp] = [join(folder, 'root'), join(folder, 'tmp')];
  await mkdir(root, { recursive: true });
  for (const part of [base, image.root]) await run('cp', ['-al', '--remove-destination', `${part}/.`, root]);
  for (const place of ['proc', 'dev', 'tmp', 'usr/local/bin']) await mkdir(join(root, place), { recursive: true });
  await writeFile(join(root, NODE), '');
  // The one user that Node's image has besides Debian's.
  await writeFile(join(root, 'etc/passwd'), `node:x:${image.user}:${image.user}::/home/node:/bin/bash\n`);
  await mkdir(tmp);
  await chmod(tmp, 0o777);
  const running = new Map<ChildProcess, Promise<number | null>>();
  const start: Container['start'] = (command, environment) => {
    const child = spawn(
      'unshare',
      ['--mount', 'sh', '-c', ENTER, 'sh', root, tmp, process.execPath, image.user, image.workdir, ...command],
      {
        env: { PATH, HOME: '/home/node', ...image.env, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    running.set(child, ended);
    void ended.finally(() => running.delete(child));
    return { child, ended };
  };
  return {
    tmp,
    start,
    run: async (command, environment) => {
      const { child, ended } = start(command, environment);
      const said = { stdout: '', stderr: '' };
      child.stdout?.on('data', (chunk: Buffer) => (said.stdout += String(chunk)));
      child.stderr?.on('data', (chunk: Buffer) => (said.stderr += String(chunk)));
      return { code: await ended, ...said };
    },
    close: async () => {
      for (const child of running.keys()) child.kill('SIGTERM');
      await Promise.all(running.values());
    },
  };
}
