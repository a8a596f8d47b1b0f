import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#localstack/demo/until.ts';
import { readSession, send } from '#test/support/api-reads.ts';
import { type RunningPlatform, runPlatform, untilStatus } from '#test/support/running-platform.ts';
import { addContact } from '#test/support/simulated-contact.ts';
import { copyContext } from './docker-context.ts';
import { parseDockerfile } from './dockerfile.ts';
import { type BuiltImage, buildInFolder, StepError } from './plain-build.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
/** npm could not get a package: it is not in its cache, and there is no registry. */
const NO_REGISTRY = /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/;
const SESSION = 'shipped';

describe('the socket host’s image, built and run in a plain folder', { timeout: 180_000 }, () => {
  let folder: string;
  let app: string;
  let image: BuiltImage | undefined;
  let withoutRegistry: string | undefined;
  let running: RunningPlatform | undefined;
  const exits: { code: number | null; signal: NodeJS.Signals | null }[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trunkline-image-'));
    const context = join(folder, 'context');
    await copyContext(ROOT, context);
    try {
      image = await buildInFolder({
        stages: parseDockerfile(await readFile(join(ROOT, 'engine-host/Dockerfile'), 'utf8')),
        context,
        folder: join(folder, 'stages'),
        args: { TARGETARCH: arch() === 'x64' ? 'amd64' : arch() },
        // Takes a package out of Debian.
        withoutStages: ['tini'],
      });
    } catch (error) {
      if (!(error instanceof StepError) || !NO_REGISTRY.test(error.output)) throw error;
      withoutRegistry = 'npm ci found no registry, and its cache has not everything';
      return;
    }
    app = join(image.root, image.workdir);
  }, 300_000);
  afterAll(async () => {
    await running?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('holds the bundle, sharp, licences, and nothing else', async (context) => {
    context.skip(withoutRegistry !== undefined, withoutRegistry);
    const files = await filesBelow(app);
    const top = new Set(files.map(({ path }) => path.split('/')[0]));
    expect([...top].sort()).toEqual([
      'LICENSE',
      'NOTICE',
      'THIRD-PARTY-LICENCES',
      'engine-host',
      'node_modules',
      'package-lock.json',
      'package.json',
    ]);
    const packages = files.flatMap(({ path }) => /^node_modules\/((?:@[^/]+\/)?[^/.]+)/.exec(path)?.[1] ?? []);
    const own = [
      '@img/colour',
      expect.stringMatching(/^@img\/sharp-libvips-linux-/),
      expect.stringMatching(/^@img\/sharp-linux-/),
    ];
    expect([...new Set(packages)].sort()).toEqual([...own, 'detect-libc', 'semver', 'sharp']);
    const licences = await readFile(join(app, 'THIRD-PARTY-LICENCES'), 'utf8');
    for (const name of ['libsignal', '@whiskeysockets/baileys', 'pino', '@aws-sdk/client-sqs']) {
      expect(licences).toMatch(new RegExp(`^${name} \\S+ \\(.+\\)$`, 'm'));
    }
    const megabytes = (part: string) =>
      files.reduce((sum, { path, bytes }) => sum + (path.startsWith(part) ? bytes : 0), 0) / 1e6;
    const [code, native, all] = ['engine-host/', 'node_modules/', ''].map(megabytes);
    process.stdout.write(
      `image without its base: ${all?.toFixed(1)} MB (bundle ${code?.toFixed(1)}, sharp ${native?.toFixed(1)})\n`,
    );
    expect(all).toBeLessThan(40);
  });

  it('is run by nobody special, under an init, stopped by SIGTERM', (context) => {
    context.skip(withoutRegistry !== undefined, withoutRegistry);
    expect(image).toMatchObject({ entrypoint: ['tini', '-s', '--'], stopSignal: 'SIGTERM', volumes: ['/tmp'] });
    expect(image?.user).toMatch(/^[1-9]\d*$/);
    expect(image?.env).toMatchObject({ NODE_ENV: 'production' });
    expect(image?.command[0]).toBe('node');
  });

  it('pairs a session, sends a picture with a preview, and writes only below its /tmp', async (context) => {
    context.skip(withoutRegistry !== undefined, withoutRegistry);
    const [, ...words] = image?.command ?? [];
    const tmp = await mkdtemp(join(folder, 'tmp-'));
    running = await runPlatform({
      hostProgram: {
        path: join(app, words.at(-1) ?? ''),
        // Node itself then refuses to write anywhere else.
        nodeArguments: [
          ...words.slice(0, -1),
          '--permission',
          '--allow-fs-read=*',
          `--allow-fs-write=${tmp}`,
          '--allow-addons',
          '--allow-worker',
          '--disable-warning=SecurityWarning',
        ],
      },
      hostEnv: { ...image?.env, TMPDIR: tmp, PULSE_FILE: pulseIn(tmp) },
      onHostExit: (_host, exit) => exits.push(exit),
    });
    const own = await running.pair(SESSION);
    const ada = await addContact(running, 'Ada');
    const picture = await sharp({ create: { width: 640, height: 480, channels: 3, background: 'teal' } })
      .png()
      .toBuffer();
    const file = { mimetype: 'image/png', data: picture.toString('base64') };
    const { bareId } = await send(running.api, 'sendImage', { session: SESSION, chatId: ada.chatId, file });
    const { raw } = await ada.received(bareId);
    expect(raw).toMatchObject({
      imageMessage: { width: 640, height: 480, jpegThumbnail: expect.stringMatching(/.{100}/) },
    });
    expect(own).toMatch(/^\d+$/);
    await until('the end of temporary files', async () => {
      const left = await readdir(tmp);
      return left.length === 1 && left[0] === 'host-pulse' ? true : undefined;
    });
  });

  it('is healthy while its pulse goes, and not when it hangs', async (context) => {
    context.skip(withoutRegistry !== undefined, withoutRegistry);
    if (running === undefined) throw new Error('It does not run.');
    const [program = '', ...args] = image?.healthCommand ?? [];
    const [tmp = ''] = (await readdir(folder)).filter((name) => name.startsWith('tmp-'));
    const PULSE_FILE = pulseIn(join(folder, tmp));
    const healthy = () =>
      run(program, args, { env: { PATH: process.env.PATH, PULSE_FILE } }).then(
        () => true,
        () => false,
      );
    expect(await healthy()).toBe(true);
    running.platform.hosts.kill('host-1', 'SIGSTOP');
    try {
      const old = new Date(Date.now() - 60_000);
      await utimes(PULSE_FILE, old, old);
      expect(await healthy()).toBe(false);
    } finally {
      running.platform.hosts.kill('host-1', 'SIGCONT');
    }
    await until('a pulse', async () => ((await healthy()) ? true : undefined));
  });

  it('drains and exits 0 at SIGTERM, and the next one goes on without a QR code', async (context) => {
    context.skip(withoutRegistry !== undefined, withoutRegistry);
    if (running === undefined) throw new Error('It does not run.');
    const { platform, api } = running;
    await untilStatus(api, SESSION, 'WORKING');
    const pid = platform.hosts.pids().get('host-1');
    expect(platform.hosts.kill('host-1', 'SIGTERM')).toBe(true);
    await until('its exit', async () => exits[0]);
    expect(exits).toEqual([{ code: 0, signal: null }]);
    await until('the next one', async () => (platform.hosts.pids().get('host-1') === pid ? undefined : true));
    await untilStatus(api, SESSION, 'WORKING');
    expect(await readSession(api, SESSION)).toMatchObject({ status: 'WORKING', assignedWorker: 'host-1' });
  });
});

const pulseIn = (folder: string) => join(folder, 'host-pulse');

async function filesBelow(folder: string): Promise<readonly { readonly path: string; readonly bytes: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return await Promise.all(
    files.map(async (path) => ({ path: path.slice(folder.length + 1), bytes: (await stat(path)).size })),
  );
}
