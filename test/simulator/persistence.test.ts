import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestClient, until } from './client-under-test.ts';
import { type Simulator, startSimulator } from './simulator.ts';

let dataDir = '';
let simulator: Simulator;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'simulator-'));
  simulator = await startSimulator({ dataDir });
});

afterEach(async () => {
  await simulator.close();
  await rm(dataDir, { recursive: true });
});

test('accounts, queues, groups, sessions and identity survive a restart', async () => {
  const contact = simulator.addContact({ name: 'Paula', script: { reply: 'echo' } });
  const before = await new TestClient(simulator, { pushName: 'Alice' }).pair();
  const peer = await new TestClient(simulator, { pushName: 'Bob' }).pair();
  const group = simulator.createGroup({ owner: before.phone, subject: 'Kept', participants: [contact.phone] });
  await before.send(`${contact.phone}@s.whatsapp.net`, { text: 'first' });
  await before.text('first');
  await simulator.send(contact.phone, { to: group.id, text: 'in the group' });
  await before.text('in the group');
  await before.close();
  await peer.send(before.jid, { text: 'while away' });
  await peer.close();
  const { caPem } = simulator;
  const root = simulator.rootKey;
  await simulator.close();

  simulator = await startSimulator({ dataDir });
  expect(simulator.caPem).toBe(caPem);
  expect(simulator.rootKey).toBe(root);
  expect(await readFile(simulator.caFile ?? '', 'utf8')).toBe(caPem);
  const after = await new TestClient(simulator, { auth: before.auth }).login();
  await after.text('while away');
  await simulator.send(contact.phone, { to: group.id, text: 'still a member' });
  await after.text('still a member');
  await after.send(`${contact.phone}@s.whatsapp.net`, { text: 'second' });
  await until('the echo', () =>
    after.messages.some(({ key, message }) => !key.fromMe && message?.conversation === 'second'),
  );
  expect(Object.keys(await after.sock.groupFetchAllParticipating())).toEqual([group.id]);
  expect(simulator.stats()).toMatchObject({ violations: [], retries: 0, decryptionFailures: 0 });
  await after.close();
});

test('a snapshot of another version is not overwritten', async () => {
  await simulator.close();
  await writeFile(join(dataDir, 'simulator.json'), '{"version":0}');
  await expect(startSimulator({ dataDir })).rejects.toThrow('not a snapshot of this version');
  await rm(join(dataDir, 'simulator.json'));
  simulator = await startSimulator({ dataDir });
});
