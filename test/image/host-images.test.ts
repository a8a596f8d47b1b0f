import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTAINER_FLAGS } from '#engine-host/host/browser-start.ts';
import { until } from '#localstack/demo/until.ts';
import { readSession, send } from '#test/support/api-reads.ts';
import { type RunningPlatform, runPlatform, untilStatus } from '#test/support/running-platform.ts';
import { addContact } from '#test/support/simulated-contact.ts';
import { type BrowserHosts, startBrowserHosts } from './browser-hosts.ts';
import { startPage } from './browser-page.ts';
import { type Container, lackingForContainers, makeContainer } from './container.ts';
import { buildHosts, filesBelow, type HostBuilds } from './host-builds.ts';
import type { BuiltImage } from './plain-build.ts';

const run = promisify(execFile);
const SESSION = 'shipped';
const megabytes = (files: readonly { readonly path: string; readonly bytes: number }[], part: RegExp): number =>
  files.reduce((sum, { path, bytes }) => sum + (part.test(path) ? bytes : 0), 0) / 1e6;

let builds: HostBuilds;
beforeAll(async () => {
  builds = await buildHosts();
}, 600_000);
afterAll(() => builds.remove());

describe('the socket host’s image, built and run in a plain folder', { timeout: 180_000 }, () => {
  let folder: string;
  let app: string;
  let image: BuiltImage | undefined;
  let withoutRegistry: string | undefined;
  let running: RunningPlatform | undefined;
  const exits: { code: number | null; signal: NodeJS.Signals | null }[] = [];

  beforeAll(() => {
    folder = builds.folder;
    image = builds.socket.made;
    withoutRegistry = builds.socket.lacking;
    if (image !== undefined) app = join(image.root, image.workdir);
  });
  afterAll(() => running?.stop());

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
    const [code = 0, native = 0, all = 0] = [/^engine-host\//, /^node_modules\//, /^/].map((part) =>
      megabytes(files, part),
    );
    process.stdout.write(
      `socket image without its base: ${all.toFixed(1)} MB (bundle ${code.toFixed(1)}, sharp ${native.toFixed(1)})\n`,
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

describe('the browser host’s image, on a small Debian, run as ECS would', { timeout: 180_000 }, () => {
  let lacking: string | undefined;
  let container: Container | undefined;
  let hosts: BrowserHosts | undefined;
  const inContainer = (): Container => {
    if (container === undefined) throw new Error('There is no container.');
    return container;
  };

  beforeAll(async () => {
    lacking = builds.browser.lacking ?? lackingForContainers();
    const { made } = builds.browser;
    if (lacking === undefined && made !== undefined)
      container = await makeContainer(made.image, made.base, join(builds.folder, 'container'));
  }, 60_000);
  afterAll(async () => {
    await container?.close();
    await hosts?.stop();
  });

  it('is the socket host’s with a browser and fonts beside it', async (context) => {
    const { made, lacking: notBuilt } = builds.browser;
    context.skip(made === undefined, notBuilt);
    const { command, healthCommand, entrypoint, user, volumes, env, root } = made?.image ?? nothing();
    const socket = builds.socket.made;
    expect({ command, healthCommand, entrypoint, user, volumes }).toEqual({
      command: socket?.command,
      healthCommand: socket?.healthCommand,
      entrypoint: socket?.entrypoint,
      user: socket?.user,
      volumes: socket?.volumes,
    });
    expect(env).toMatchObject({ ...socket?.env, BROWSER_EXECUTABLE: expect.any(String) });
    const packages = await readdir(join(root, 'var/lib/dpkg/status.d'));
    expect(packages).toEqual(expect.arrayContaining(['chromium-headless-shell', 'fonts-noto-color-emoji', 'libnss3']));
    // Of the base, and of what draws windows.
    expect(packages.filter((name) => /^(?:libc6|apt|libllvm\d+|xdg-utils|libgtk.*)$/.test(name))).toEqual([]);
    const files = await filesBelow(root);
    const [host = 0, browser = 0, fonts = 0, all = 0] = [
      /^app\//,
      /^usr\/lib\/chromium\//,
      /^usr\/share\/fonts\//,
      /^/,
    ].map((part) => megabytes(files, part));
    process.stdout.write(
      `browser image without its base: ${all.toFixed(1)} MB (host ${host.toFixed(1)}, browser ${browser.toFixed(1)}, fonts ${fonts.toFixed(1)}, its libraries ${(all - host - browser - fonts).toFixed(1)})\n`,
    );
    expect(browser).toBeGreaterThan(200);
    expect(all).toBeLessThan(450);
  });

  it('can write below /tmp and nowhere else, without any capability', async (context) => {
    context.skip(lacking !== undefined, lacking);
    const tries =
      'touch /tmp/here; for place in / /app /home /usr/lib/chromium /etc; do touch $place/here && exit 1; done';
    const { code, stderr } = await inContainer().run([
      'sh',
      '-c',
      `id -u >&2; ${tries}; grep Cap /proc/self/status >&2`,
    ]);
    expect({ code, readOnly: stderr.match(/Read-only file system/g)?.length }).toEqual({ code: 0, readOnly: 5 });
    expect(stderr).toMatch(/^1000$/m);
    expect(stderr.match(/^Cap.*:\t0+$/gm)).toHaveLength(5);
  });

  it('shows a page over HTTP, its emoji and every other script, and keeps what the page stores', async (context) => {
    context.skip(lacking !== undefined, lacking);
    const page = await startPage();
    try {
      const flags = [...CONTAINER_FLAGS, '--user-data-dir=/tmp/profile', '--dump-dom'];
      const { code, stderr } = await inContainer().run([
        builds.browser.made?.image.env.BROWSER_EXECUTABLE ?? '',
        ...flags,
        page.url,
      ]);
      expect({ code, found: page.found() }, stderr).toEqual({ code: 0, found: page.wanted });
      expect(await readdir(join(inContainer().tmp, 'profile/Default'))).toContain('IndexedDB');
    } finally {
      await page.close();
    }
  });

  it('starts no host whose browser does not', async (context) => {
    context.skip(lacking !== undefined, lacking);
    hosts = await startBrowserHosts(inContainer(), builds.browser.made?.image ?? nothing());
    const { code, stderr } = await hosts.run({ BROWSER_EXECUTABLE: '/bin/false' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^BROWSER_EXECUTABLE: \/bin\/false ends with 1/);
    expect(await hosts.known()).toEqual([]);
  });

  it('takes the shards of its pool when its browser has started, and drains and exits 0 at SIGTERM', async (context) => {
    context.skip(lacking !== undefined, lacking);
    if (hosts === undefined) throw new Error('There is no cloud.');
    const host = hosts.start();
    const owned = async () => ((await hosts?.owned()) === hosts?.shards ? true : undefined);
    await until('its shards', owned, 60_000);
    expect(await hosts.known()).toMatchObject([{ pool: 'browser', state: 'ACTIVE' }]);
    expect(await readdir(inContainer().tmp)).toContain('host-pulse');
    host.kill('SIGTERM');
    expect(await host.ended).toBe(0);
    expect(await hosts.known()).toEqual([]);
    expect((await readdir(inContainer().tmp)).filter((name) => name.startsWith('browser-start-'))).toEqual([]);
  });
});

function nothing(): never {
  throw new Error('There is no image.');
}
