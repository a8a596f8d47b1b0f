import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { messageSchema } from '#shared/contracts/message.ts';
import { sessionRow, waMessage } from '#test/contracts/rows.ts';
import { TestApi } from './test-support/test-api.ts';

const CHAT = '4915100000001@c.us';
const MOST = 1_000;
const GZIP = { 'accept-encoding': 'br;q=1, gzip;q=0.5' };
const LIST = `/api/main/chats/${CHAT}/messages?limit=${MOST}`;
const messagesSchema = z.array(messageSchema);
const s3 = { Bucket: 'media', Key: 'files/main/picture.jpg' };
const media = { url: '/api/files/main/picture.jpg', mimetype: 'image/jpeg', filename: null, s3, error: null };
const contentOf = (index: number) => Buffer.alloc(12_000, index).toString('base64');
const idOf = (index: number) => `3EB0${String(index).padStart(18, '0')}`;

async function withMessages(each: (index: number) => Parameters<typeof waMessage>[0]): Promise<TestApi> {
  const api = new TestApi();
  await api.session('main');
  for (let index = 0; index < MOST; index += 1) await api.messages.add('main', waMessage(each(index)), index);
  return api;
}

describe('a thousand pictures', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await withMessages((index) => ({
      ...{ id: idOf(index), chatId: `${4_915_100_000_000 + index}@c.us`, timestamp: index, media },
      _data: { type: 'image', content: contentOf(index) },
    }));
    for (let index = 0; index < MOST; index += 1) {
      await api.chats.touch('main', `${4_915_100_000_000 + index}@c.us`, { id: idOf(index), timestamp: index, seq: 1 });
    }
  });

  it.each([
    ['GET', `/api/main/chats/all/messages?limit=${MOST}`, undefined],
    ['GET', `/api/messages?session=main&chatId=all&limit=${MOST}`, undefined],
    ['GET', `/api/main/chats/overview?limit=${MOST}`, undefined],
    ['POST', '/api/main/chats/overview', { pagination: { limit: MOST } }],
  ])('fit into one answer: %s %s', async (method, url, body) => {
    const { json, text } = await api.call(method, url, { body });
    expect(json, text.slice(0, 300)).toHaveLength(MOST);
    expect(text).toContain('"type":"image"');
    expect(text).not.toContain('"content"');
  });

  it('have their whole content one by one', async () => {
    const { json } = await api.call('GET', `/api/main/chats/all/messages/${idOf(7)}`);
    expect(json).toMatchObject({ _data: { type: 'image', content: contentOf(7) } });
  });
});

describe('a thousand long texts', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await withMessages((index) => ({ id: idOf(index), body: `${'long "text" '.repeat(1_000)}${index}` }));
  });

  it('come compressed to whoever takes that', async () => {
    const { status, headers, json } = await api.call('GET', LIST, { headers: GZIP });
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(messagesSchema.parse(json)).toHaveLength(MOST);
  });

  it.each([{}, { 'Accept-Encoding': 'gzip;q=0, br' }])('are too many for %j, and that is said', async (headers) => {
    const { status, json } = await api.call('GET', LIST, { headers });
    expect(status).toBe(400);
    const message = expect.stringMatching(
      /^must be smaller: the answer would have \d\d\.\d MiB and may have 6\..* gzip$/,
    );
    expect(json).toMatchObject({ statusCode: 400, code: 'validation', issues: [{ path: 'query.limit', message }] });
    const less = await api.call('GET', `/api/main/chats/${CHAT}/messages?limit=300`, { headers });
    expect(less.json).toHaveLength(300);
    expect(less.headers).toMatchObject({ vary: 'accept-encoding' });
    expect(less.headers).not.toHaveProperty('content-encoding');
  });
});

it('what does not even fit when it is compressed is refused, also where the limit is in the body', async () => {
  const chatOf = (index: number) => `${4_915_100_000_000 + index}@c.us`;
  const api = await withMessages((index) => ({ id: idOf(index), chatId: chatOf(index), body: noise(index) }));
  const { status, json } = await api.call('GET', `/api/main/chats/all/messages?limit=${MOST}`, { headers: GZIP });
  expect(status).toBe(400);
  expect(json).toMatchObject({ issues: [{ path: 'query.limit', message: expect.stringMatching(/compressed.*6$/) }] });
  for (let index = 0; index < MOST; index += 1) {
    await api.chats.touch('main', chatOf(index), { id: idOf(index), timestamp: index, seq: 1 });
  }
  const posted = await api.call('POST', '/api/main/chats/overview', { body: { pagination: { limit: MOST } } });
  expect(posted.status).toBe(400);
  expect(posted.json).toMatchObject({ issues: [{ path: 'pagination.limit' }] });
});

it('sessions come in parts where they are too many', async () => {
  const api = new TestApi();
  const config = { metadata: { note: 'x'.repeat(600) } };
  for (let index = 0; index < 8_000; index += 1) {
    await api.sessions.create(sessionRow({ name: `s${String(index).padStart(4, '0')}`, config }));
  }
  const all = '/api/sessions?all=true';
  const names = (json: unknown) =>
    z
      .array(z.object({ name: z.string() }))
      .parse(json)
      .map(({ name }) => name);
  expect((await api.call('GET', all)).json).toMatchObject({ issues: [{ path: 'query.limit' }] });
  expect(names((await api.call('GET', all, { headers: GZIP })).json)).toHaveLength(8_000);
  const parts = ['&limit=4000', '&limit=4000&offset=4000', '&offset=8000'].map(async (query) =>
    names((await api.call('GET', `${all}${query}`)).json),
  );
  const [first = [], second = [], none] = await Promise.all(parts);
  expect(new Set([...first, ...second]).size).toBe(8_000);
  expect(first.at(-1)?.localeCompare(second[0] ?? '')).toBe(-1);
  expect(none).toEqual([]);
});

/** What no compression makes smaller. */
function noise(index: number): string {
  return createHash('shake256', { outputLength: 9_000 }).update(String(index)).digest('base64');
}
