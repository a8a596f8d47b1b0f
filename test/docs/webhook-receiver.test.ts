import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { TestApi } from '#functions/api/test-support/test-api.ts';
import { deliveryRequest } from '#functions/webhook-dispatcher/delivery-request.ts';
import { until } from '#localstack/demo/until.ts';
import { eventEnvelope } from '../contracts/events.ts';
import { waMessage } from '../contracts/rows.ts';

const MOST_LINES = 15;
const OTHER_SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;

let chapter: string;
let example: z.infer<typeof configSchema>['config']['webhooks'][number];
let program: string;
const configSchema = z.object({
  config: z.object({ webhooks: z.array(z.looseObject({ secrets: z.array(z.string()) })).length(1) }),
});

/** The only block of the chapter in this language. */
function block(language: string): string {
  const blocks = [...chapter.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))];
  expect(blocks.length).toBeGreaterThan(0);
  return blocks[0]?.[1] ?? '';
}

beforeAll(async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  chapter = /^### Webhooks\n([\s\S]*?)^### /m.exec(readme)?.[1] ?? '';
  program = block('js');
  const body = /-d '([\s\S]*?)'/.exec(block('sh'))?.[1] ?? '';
  [example = { secrets: [] }] = configSchema.parse(JSON.parse(body)).config.webhooks;
});

describe('the README’s webhook', () => {
  it('is accepted as it stands there', async () => {
    const api = new TestApi();
    const answer = await api.call('POST', '/api/sessions', { body: { config: { webhooks: [example] } } });
    expect(answer.status, answer.text).toBe(201);
    expect(answer.json).toMatchObject({ config: { webhooks: [example] } });
  });
});

describe('the README’s receiver', () => {
  let folder: string;
  let url: string;
  let output = '';
  let stop: () => void;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trunkline-receiver-'));
    const file = join(folder, 'receiver.mjs');
    await writeFile(file, program);
    const port = await freePort();
    url = `http://127.0.0.1:${port}/`;
    const WEBHOOK_SECRET = example.secrets[0] ?? '';
    const env = { PATH: process.env.PATH, WEBHOOK_SECRET, PORT: String(port) };
    const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    stop = () => child.kill();
    await until('the receiver', async () => (await fetch(url).catch(() => undefined)) ?? undefined);
  });
  afterAll(async () => {
    stop();
    await rm(folder, { recursive: true });
  });

  const event = eventEnvelope({ event: 'message', payload: waMessage({ id: 'AAAAAA1', body: 'Grüße 🌍' }) });
  const post = async (secrets: readonly string[], change: Partial<Record<string, string>> = {}, now = Date.now()) => {
    const { headers, body } = deliveryRequest(event, { secrets: [...secrets] }, 'Trunkline', now);
    const answer = await fetch(url, { method: 'POST', headers: { ...headers, ...change }, body: change.body ?? body });
    return answer.status;
  };

  it(`has ${MOST_LINES} lines of code`, () => {
    const lines = program.split('\n').filter((line) => line.trim() !== '');
    expect(lines.length).toBeLessThanOrEqual(MOST_LINES);
  });

  it('takes what is signed with its secret, also while secrets are exchanged', async () => {
    expect(await post(example.secrets)).toBe(204);
    expect(await post([OTHER_SECRET, ...example.secrets])).toBe(204);
    await until('a line', async () => (output.includes(`${event.id} message\n`) ? true : undefined));
  });

  it('takes nothing else, and stays up', async () => {
    expect(await post([OTHER_SECRET])).toBe(401);
    expect(await post([])).toBe(401);
    expect(await post(example.secrets, { body: '{}' })).toBe(401);
    expect(await post(example.secrets, { 'webhook-id': 'evt_other' })).toBe(401);
    expect(await post(example.secrets, { 'webhook-timestamp': String(Math.floor(Date.now() / 1000) + 1) })).toBe(401);
    expect(await post(example.secrets, { 'webhook-signature': 'v1,ü' })).toBe(401);
    expect(await post(example.secrets, {}, Date.now() - 301_000)).toBe(401);
    expect(await post(example.secrets)).toBe(204);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an address of this form.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
