import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '#localstack/demo/api-client.ts';
import { until } from '#localstack/demo/until.ts';
import { SimulatorAdmin } from '#localstack/start/simulator-admin.ts';
import { readMessages, send, untilMessage, untilQr } from '#test/support/api-reads.ts';
import { type Program, runProgram } from '#test/support/program.ts';
import { untilStatus } from '#test/support/running-platform.ts';

const MAIN = 'localstack/start/main.ts';
const LONGEST_MS = 60_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trunkline-start-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Processes that were started by this one, directly or not; from /proc, so on Linux only. */
async function descendants(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = text
    .split(' ')
    .map(Number)
    .filter((child) => child > 0);
  return [...children, ...(await Promise.all(children.map(descendants))).flat()];
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function addresses(program: Program) {
  const [, simulator = ''] = await program.prints(/curl --data-raw "\$QR" (http:\/\/127\.0\.0\.1:\d+)\/admin/);
  const [, url = ''] = await program.prints(/^ {2}API {2,}(http:\/\/127\.0\.0\.1:\d+)$/m);
  const [, key = ''] = await program.prints(/^ {2}API key {2,}(\S+)$/m);
  const [, docs = ''] = await program.prints(/^ {2}documentation {2,}(\S+)$/m);
  return { url, key, docs, api: new ApiClient(url, key), whatsapp: new SimulatorAdmin(simulator) };
}

describe('npm start -- --simulator', () => {
  it(
    'prints what a user needs, works, ends cleanly, and finds everything again',
    async () => {
      const args = ['--simulator', '--port', '0', '--data', join(folder, 'data')];
      const first = runProgram(MAIN, args);
      const { url, key, docs, api, whatsapp } = await addresses(first);

      const page = await fetch(docs);
      expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
      const document = await (await fetch(`${url}/-json`)).json();
      expect(document).toMatchObject({ openapi: expect.stringMatching(/^3\.1/), paths: { '/api/sendText': {} } });

      await api.post('/api/sessions', { name: 'default', config: { pacing: { profile: 'off' } } });
      // The QR code of the session shows up in the terminal.
      await first.prints(/scan with WhatsApp[^\n]*\n.*[▄▀█]{4}/);
      const qr = await untilQr(api, 'default');
      const { phone } = await whatsapp.scan(qr);
      await untilStatus(api, 'default', 'WORKING');
      await first.prints(/Session .*default.*: WORKING/);
      const contact = await whatsapp.addContact({ name: 'Ada', script: { reply: 'echo' } });
      const chatId = `${contact.phone}@c.us`;
      const sent = await send(api, 'sendText', { session: 'default', chatId: contact.phone, text: 'Hello' });
      await until('the echo', async () =>
        (await readMessages(api, 'default', chatId)).find(({ fromMe, body }) => !fromMe && body === 'Hello'),
      );
      for (const secret of [phone, contact.phone, 'Hello', qr]) {
        expect(first.stdout + first.stderr).not.toContain(secret);
      }

      const processes = await descendants(first.pid);
      expect(processes.length).toBeGreaterThanOrEqual(2);
      first.kill('SIGTERM');
      expect([await first.exited, first.stderr]).toEqual([0, '']);
      expect(first.stdout.split('Stopping: sessions are being saved.')[1]).not.toContain('Session');
      const [, logs = ''] = await first.prints(/^ {2}logs {2,}(\S+)$/m);
      const log = await readFile(join(logs, 'host-1.log'), 'utf8');
      expect(log).toContain('host started');
      for (const secret of [phone, contact.phone, 'Hello', qr]) expect(log).not.toContain(secret);
      expect(processes.filter(isAlive)).toEqual([]);

      const second = runProgram(MAIN, args);
      const again = await addresses(second);
      expect(again.key).toBe(key);
      await second.prints(/Session .*default.*: WORKING/);
      expect(second.stdout).not.toContain('scan with WhatsApp');
      await untilMessage(again.api, 'default', chatId, sent.bareId);
      const later = await send(again.api, 'sendText', { session: 'default', chatId, text: 'Hello again' });
      await until('the echo', async () =>
        (await again.whatsapp.inbox(contact.phone, 0, 0)).find(({ id }) => id === later.bareId),
      );
      second.kill('SIGINT');
      expect([await second.exited, second.stderr]).toEqual([0, '']);
    },
    LONGEST_MS,
  );

  it(
    'that is killed leaves no process behind',
    async () => {
      const program = runProgram(MAIN, ['--simulator', '--port', '0', '--data', join(folder, 'killed')]);
      await addresses(program);
      const processes = await descendants(program.pid);
      program.kill('SIGKILL');
      await program.exited;
      await until('the end of its processes', async () => (processes.some(isAlive) ? undefined : true));
    },
    LONGEST_MS,
  );
});

describe('npm start that cannot', () => {
  const fails = async (args: readonly string[], env: Record<string, string> = {}) => {
    const program = runProgram(MAIN, [...args, '--data', join(folder, 'unused')], env);
    const code = await program.exited;
    // A sentence, not a stack.
    expect(program.stderr).not.toMatch(/\n\s+at /);
    return { code, stderr: program.stderr };
  };

  it.each([
    [['--prot', '80'], /--prot/],
    [['--port', 'http'], /--port takes a whole number/],
    [['--hosts', '0'], /--hosts takes a whole number from 1/],
    [['now'], /now/],
  ])('%j: exits 1 and says what is wrong', async (args, message) => {
    expect(await fails(args)).toEqual({ code: 1, stderr: expect.stringMatching(message) });
  });

  it(
    'for want of internet says so, and what works without',
    async () => {
      const { code, stderr } = await fails(['--port', '0'], { WHATSAPP_WS_URL: 'wss://whatsapp.invalid/ws/chat' });
      expect(code).toBe(1);
      expect(stderr).toMatch(/whatsapp\.invalid/);
      expect(stderr).toMatch(/npm start -- --simulator/);
      expect(stderr).toMatch(/npm run demo/);
    },
    LONGEST_MS,
  );

  it(
    'because the port is in use names the way out',
    async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      // A server that listens on a port has an address of this form.
      const { port } = server.address() as AddressInfo;
      const { code, stderr } = await fails(['--simulator', '--port', String(port)]);
      server.close();
      expect(code).toBe(1);
      expect(stderr).toMatch(/port .*in use.*--port/);
    },
    LONGEST_MS,
  );

  it(
    'because the data folder is a file says so',
    async () => {
      const program = runProgram(MAIN, ['--simulator', '--port', '0', '--data', '/dev/null']);
      expect(await program.exited).toBe(1);
      expect(program.stderr).not.toMatch(/\n\s+at /);
      expect(program.stderr).toContain('/dev/null');
    },
    LONGEST_MS,
  );
});
