import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestClient } from './client-under-test.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

let folder = '';
let child: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulator-main-'));
});

afterEach(async () => {
  child?.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

test('as a process it announces itself, serves clients and the admin API, and ends cleanly on SIGTERM', async () => {
  const caFile = join(folder, 'authority.pem');
  const args = [MAIN, '--port', '0', '--data', folder, '--ca-file', caFile];
  const started = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  child = started;
  const [line] = await once(createInterface(started.stdout), 'line');
  const listening = JSON.parse(String(line));
  expect(listening).toMatchObject({ event: 'listening', caFile, port: expect.any(Number) });
  const { wsUrl, adminUrl } = listening;
  const caPem = await readFile(caFile, 'utf8');
  const scanQr = (text: string): Promise<unknown> =>
    fetch(`${adminUrl}/mock-phone/scan-qr`, { method: 'POST', body: text });
  const client = await new TestClient({ wsUrl, caPem, scanQr }, { pushName: 'Outside' }).pair();
  const groups = Object.values(await client.sock.groupFetchAllParticipating());
  expect(groups.map(({ subject }) => subject)).toEqual(['Baileys Group Test']);
  const call = async (method: string, path: string, body?: unknown): Promise<{ status: number; answer: unknown }> => {
    const response = await fetch(`${adminUrl}${path}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) });
    return { status: response.status, answer: await response.json() };
  };
  expect(await call('POST', '/contacts', { name: 'Nora', phone: '+49 151 00000042' })).toMatchObject({
    status: 200,
    answer: { phone: '4915100000042' },
  });
  await call('POST', '/contacts/4915100000042/send', { to: client.phone, text: 'hello' });
  const { key } = await client.text('hello');
  await client.send(key.remoteJid ?? '', { text: 'answer' });
  expect(await call('GET', '/contacts/4915100000042/inbox?since=0&waitMs=5000')).toMatchObject({
    answer: [{ n: 1, text: 'answer', from: client.jid, raw: { extendedTextMessage: { text: 'answer' } } }],
  });
  expect(await call('GET', '/stats')).toMatchObject({ status: 200, answer: { logins: 1, violations: [] } });
  expect((await call('POST', '/faults', { kind: 'earthquake' })).status).toBe(400);
  expect((await call('GET', '/contacts/4915199999999/inbox')).status).toBe(404);
  expect((await call('GET', '/nothing')).status).toBe(404);
  await client.close();
  started.kill('SIGTERM');
  expect(await once(started, 'exit')).toEqual([0, null]);
  expect(JSON.parse(await readFile(join(folder, 'simulator.json'), 'utf8')).accounts).toHaveLength(2);
});
