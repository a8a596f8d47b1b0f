import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decryptMedia, encryptMedia } from './media-cipher.ts';
import { type Simulator, startSimulator } from './simulator.ts';

const run = promisify(execFile);
const CLIENT = fileURLToPath(new URL('media-client.ts', import.meta.url));

let folder = '';
let simulator: Simulator;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulator-media-'));
  simulator = await startSimulator({ dataDir: folder });
});

afterAll(async () => {
  await simulator.close();
  await rm(folder, { recursive: true });
});

test('an unmodified client sends and receives an image over wss and https, also one that the server has dropped', async () => {
  const contact = simulator.addContact({ name: 'Ansel' });
  const image = await sharp({ create: { width: 64, height: 48, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();
  const file = join(folder, 'image.png');
  await writeFile(file, image);
  const { stdout } = await run(process.execPath, [CLIENT, simulator.wssUrl, simulator.adminUrl, contact.phone, file], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: simulator.caFile },
    timeout: 30_000,
  });
  const sha256 = createHash('sha256').update(image).digest('hex');
  const { sentId, sha256: received, dropped, sha256Again } = JSON.parse(stdout);
  expect([received, sha256Again]).toEqual([sha256, sha256]);
  expect(dropped).toContain('Failed to fetch');
  const [read] = await simulator.inbox(contact.phone, { waitMs: 5000 });
  expect(read).toMatchObject({ id: sentId, type: 'image', caption: 'to the contact', media: { sha256 } });
  expect(simulator.stats()).toMatchObject({ uploads: 1, violations: [], unknownIqs: {} });
});

describe('the media store', () => {
  const call = async (method: string, path: string, body?: Buffer, headers: Record<string, string> = {}) => {
    const ca = await readFile(simulator.caFile ?? '');
    return new Promise<{ status: number; body: Buffer }>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: simulator.port, method, path, headers, ca };
      const request = httpsRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
      });
      request.on('error', reject);
      request.end(body);
    });
  };

  test('gives back what was uploaded, whole or in part', async () => {
    const body = Buffer.from('0123456789');
    const token = createHash('sha256').update(body).digest('base64url');
    const { status, body: answer } = await call('POST', `/mms/image/${token}?auth=a&token=${token}`, body);
    expect(status).toBe(200);
    const { direct_path: path } = JSON.parse(answer.toString());
    expect(path).toContain('?');
    expect((await call('GET', path)).body.toString()).toBe('0123456789');
    expect(await call('GET', path, undefined, { range: 'bytes=2-4' })).toEqual({
      status: 206,
      body: Buffer.from('234'),
    });
    expect((await call('GET', path, undefined, { range: 'bytes=20-' })).status).toBe(416);
  });

  test('refuses an upload whose token is not its hash, and knows nothing else', async () => {
    const token = createHash('sha256').update('other').digest('base64url');
    expect((await call('POST', `/mms/image/${token}`, Buffer.from('body'))).status).toBe(415);
    expect(simulator.stats().violations).toContainEqual(expect.stringContaining('SHA-256'));
    expect((await call('GET', `/v/t62.7118-24/${token}`)).status).toBe(404);
    expect((await call('GET', '/v/t62.7118-24/..%2F..%2Fsimulator.json')).status).toBe(404);
  });
});

test('an encrypted file opens with its key only, and not when it was changed', () => {
  const { body, mediaKey } = encryptMedia('Image', Buffer.from('picture'));
  expect(decryptMedia('Image', mediaKey, body).toString()).toBe('picture');
  expect(() => decryptMedia('Video', mediaKey, body)).toThrow('MAC');
  const changed = Buffer.from(body);
  changed.writeUInt8(body.readUInt8(0) ^ 1, 0);
  expect(() => decryptMedia('Image', mediaKey, changed)).toThrow('MAC');
});
