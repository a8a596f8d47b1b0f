import { type ExecFileException, execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from './config-error.ts';

/**
 * What Chromium needs in a container without privileges, whatever it is started for: its own sandbox takes user namespaces,
 * which there are none of, and shared memory has 64 MB.
 */
export const CONTAINER_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--disable-breakpad',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
] as const;

/** Comes out right only where scripts of pages run. */
const PAGE = 'data:text/html,<script>document.write(6 * 7)</script>';
const SHOWN = '<body>42</body>';
/** The first time 200 MB are read. */
const DEADLINE_MS = 30_000;
/** Of what a browser says, the end is about the failure. */
const SAID_CHARACTERS = 500;

/**
 * Starts the browser, has it show a page that is fetched from nowhere, and waits for its end. All that it writes goes below the
 * folder for temporary files.
 *
 * @param executable path
 * @throws ConfigError with the last that the browser had to say
 */
export async function assertBrowserStarts(executable: string, deadlineMs = DEADLINE_MS): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'browser-start-'));
  const args = [...CONTAINER_FLAGS, `--user-data-dir=${home}`, '--dump-dom', PAGE];
  // What a host knows by its environment is no browser's business.
  const options = { env: { HOME: home, TMPDIR: home }, timeout: deadlineMs, killSignal: 'SIGKILL' } as const;
  const { error, shown, said } = await new Promise<Ended>((resolve) => {
    execFile(executable, args, options, (failed, stdout, stderr) =>
      resolve({ error: failed, shown: stdout, said: stderr }),
    );
  });
  // What it has started ends after it.
  await rm(home, { recursive: true, force: true, maxRetries: 10 });
  if (error === null && shown.includes(SHOWN)) return;
  const problem = error === null ? `shows another page than it is given: ${shown.trim()}` : reason(error, deadlineMs);
  throw new ConfigError(`BROWSER_EXECUTABLE: ${executable} ${problem}. ${said.trim().slice(-SAID_CHARACTERS)}`);
}

interface Ended {
  readonly error: ExecFileException | null;
  readonly shown: string;
  readonly said: string;
}

function reason({ code, killed, signal }: ExecFileException, deadlineMs: number): string {
  if (killed) return `has shown no page within ${deadlineMs / 1000} seconds`;
  // Text is the system's word for why there is no process at all.
  return typeof code === 'string' ? `cannot be run: ${code}` : `ends with ${signal ?? code}`;
}
