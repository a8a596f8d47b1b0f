import { afterEach, beforeEach, expect, test } from 'vitest';
import { MemoryAuth, TestClient, until } from './client-under-test.ts';
import { type Simulator, startSimulator } from './simulator.ts';

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulator();
});

afterEach(() => simulator.close());

test('a signed prekey with a wrong signature is a violation, at registration and at upload', async () => {
  const auth = new MemoryAuth();
  auth.creds.signedPreKey.signature = Buffer.alloc(64, 7);
  const client = await new TestClient(simulator, { auth, pushName: 'Forger' }).pair();
  expect(simulator.stats().violations).toEqual([
    expect.stringContaining('registration: the signed prekey'),
    expect.stringContaining('prekey upload: the signed prekey'),
  ]);
  await client.close();
});

test('a device signature made with another key is a violation', async () => {
  const client = new TestClient(simulator, { pushName: 'Impostor' });
  client.connect();
  const qr = await until('a QR code', () => client.qrCodes[0]);
  client.auth.creds.signedIdentityKey.private = Buffer.alloc(32, 3);
  await simulator.scanQr(qr);
  expect(simulator.stats().violations).toEqual([expect.stringContaining('the device signature is wrong')]);
  await client.close();
});

test('an unknown iq is answered with 501 and counted', async () => {
  const client = await new TestClient(simulator, { pushName: 'Curious' }).pair();
  const attrs = { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:riddle' };
  const asked = client.sock.query({ tag: 'iq', attrs, content: [{ tag: 'why', attrs: {} }] });
  await expect(asked).rejects.toThrow('feature-not-implemented');
  expect(simulator.stats().unknownIqs).toEqual({ 'w:riddle get why': 1 });
  await client.close();
});

test('a login with an unknown key is refused', async () => {
  const client = await new TestClient(simulator, { pushName: 'Stranger' }).pair();
  await client.close();
  Object.assign(client.auth.creds, { noiseKey: new MemoryAuth().creds.noiseKey });
  client.connect();
  await until('the refusal', () => client.closes.includes(401));
});

test('each one-time prekey is handed out once, and the client is asked for more', async () => {
  const client = await new TestClient(simulator, { pushName: 'Popular' }).pair();
  const left = () => simulator.accounts().find(({ phone }) => phone === client.phone)?.preKeys[1] ?? 0;
  const before = left();
  const user = { tag: 'user', attrs: { jid: `${client.phone}:1@s.whatsapp.net` } };
  const users = Array.from({ length: before - 4 }, () => user);
  const attrs = { to: '@s.whatsapp.net', type: 'get', xmlns: 'encrypt' };
  const answer = await client.sock.query({ tag: 'iq', attrs, content: [{ tag: 'key', attrs: {}, content: users }] });
  const ids = new Set(JSON.stringify(answer).match(/"tag":"key".*?"data":\[([\d,]+)\]/g));
  expect(ids.size).toBe(before - 4);
  await until('the upload of new ones', () => left() > 4);
  expect(simulator.stats().violations).toEqual([]);
  await client.close();
});
