import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { assertBrowserStarts } from './browser-start.ts';
import { ConfigError } from './config-error.ts';

// Whether a real browser starts: test/image.
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-browser-'));
  vi.stubEnv('TMPDIR', folder);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** A program that takes the browser's place, and leaves something in its home. */
async function program(script: string): Promise<string> {
  const path = join(folder, 'program');
  await writeFile(path, `#!/bin/sh\ntouch "$HOME/left"\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}
const problemOf = async (executable: string, deadlineMs?: number): Promise<unknown> =>
  await assertBrowserStarts(executable, deadlineMs).then(
    () => 'none',
    (error: unknown) => error,
  );

it('is content with a browser that shows the page, and leaves nothing of it', async () => {
  const path = await program("echo '<html><head></head><body>42</body></html>'");
  expect(await problemOf(path)).toBe('none');
  expect(await readdir(folder)).toEqual(['program']);
});

it.each([
  ['ends with 7', "echo 'no library' >&2; exit 7", /ends with 7\. no library$/],
  ['is killed', 'kill -9 $$', /ends with SIGKILL/],
  ['shows nothing', "echo '<html></html>'", /shows another page than it is given: <html><\/html>/],
  ['knows secrets of the host', 'env >&2; exit 1', /^(?!.*secret).*HOME=/s],
])('says why of one that %s', async (_, script, said) => {
  const problem = await problemOf(await program(script));
  expect(problem).toBeInstanceOf(ConfigError);
  expect(problem).toHaveProperty('message', expect.stringMatching(said));
  expect(problem).toHaveProperty('message', expect.stringMatching(/^BROWSER_EXECUTABLE: /));
  expect(await readdir(folder)).toEqual(['program']);
});

it('waits so long for one that hangs', async () => {
  const problem = await problemOf(await program('exec sleep 600'), 200);
  expect(problem).toHaveProperty('message', expect.stringContaining('has shown no page within 0.2 seconds'));
});

it('says that there is none', async () => {
  const problem = await problemOf(join(folder, 'nowhere'));
  expect(problem).toBeInstanceOf(ConfigError);
  expect(problem).toHaveProperty('message', expect.stringContaining('cannot be run: ENOENT'));
});
