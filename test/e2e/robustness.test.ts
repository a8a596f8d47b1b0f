import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { sessionInfoSchema } from '#shared/contracts/api/bodies.ts';
import { readMessages } from '#test/support/api-reads.ts';
import { type RunningPlatform, runPlatform } from '#test/support/running-platform.ts';
import { complaints, NO_COMPLAINTS } from '#test/support/simulated-contact.ts';

const SESSION = 'steady';
const CHAT = '4915112345678@c.us';

let running: RunningPlatform;
let before: string;

beforeAll(async () => {
  running = await runPlatform();
  await running.pair(SESSION);
  before = await everything();
});
afterAll(() => running?.stop());

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A request without a client library's manners: any method, any bytes. */
async function raw(method: string, path: string, body?: string | Uint8Array, headers: object = {}): Promise<Answer> {
  const options = {
    method,
    headers: {
      'x-api-key': running.platform.apiKey,
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...headers,
    },
  };
  return await new Promise((resolve, reject) => {
    const sent = request(`${running.platform.url}${path}`, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, text, headers: response.headers });
      });
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const post = (path: string, body: unknown, headers: object = {}) => raw('POST', path, JSON.stringify(body), headers);

/** What requests could have changed, as one text. */
async function everything(): Promise<string> {
  const sessions = z.array(sessionInfoSchema).parse(await running.api.get('/api/sessions?all=true'));
  const plain = sessions.map(({ timestamps: _changes, ...session }) => session);
  return JSON.stringify([plain, await readMessages(running.api, SESSION, 'all')]);
}

function expectNoInsides({ text }: Answer): void {
  expect(text).not.toMatch(/\bat .+:\d+:\d+|node_modules|\.ts\b|node:internal|ECONN|dynamodb|127\.0\.0\.1/i);
}

const text = (more: object) => ({ session: SESSION, chatId: CHAT, text: 'x', ...more });
const image = (file: unknown) => ({ session: SESSION, chatId: CHAT, file });

describe('bad bodies', () => {
  it.each<[string, string, unknown, string]>([
    ['no text', '/api/sendText', { session: SESSION, chatId: CHAT }, 'text'],
    ['a number for a text', '/api/sendText', text({ text: 7 }), 'text'],
    ['an empty text', '/api/sendText', text({ text: '' }), 'text'],
    ['no chat', '/api/sendText', { session: SESSION, text: 'x' }, 'chatId'],
    ['a chat that is none', '/api/sendText', text({ chatId: 'Ada' }), 'chatId'],
    ['a chat that is an object', '/api/sendText', text({ chatId: { $ne: null } }), 'chatId'],
    ['a session that is a path', '/api/sendText', text({ session: '../steady' }), 'session'],
    ['mentions that are no list', '/api/sendText', text({ mentions: 'all' }), 'mentions'],
    ['a mention that is none', '/api/sendText', text({ mentions: [CHAT, 5] }), 'mentions'],
    ['a reply to nonsense', '/api/sendText', text({ reply_to: 'a b' }), 'reply_to'],
    ['a preset id with spaces', '/api/sendText', text({ id: 'my own id' }), 'id'],
    ['no file', '/api/sendImage', { session: SESSION, chatId: CHAT }, 'file'],
    ['a file without content', '/api/sendImage', image({ mimetype: 'image/png' }), 'file.url'],
    ['a file of two contents', '/api/sendImage', image({ url: 'https://a.example/', data: 'aGk=' }), 'file.url'],
    ['a file from the disk', '/api/sendImage', image({ url: 'file:///etc/passwd' }), 'file.url'],
    ['a file that is not base64', '/api/sendImage', image({ data: '%%%' }), 'file.data'],
    [
      'a media type with a line break',
      '/api/sendImage',
      image({ data: 'aGk=', mimetype: 'a/b\r\nx: y' }),
      'file.mimetype',
    ],
    [
      'a latitude beyond the pole',
      '/api/sendLocation',
      { session: SESSION, chatId: CHAT, latitude: 91, longitude: 0 },
      'latitude',
    ],
    [
      'a poll of one option',
      '/api/sendPoll',
      { session: SESSION, chatId: CHAT, poll: { name: 'x', options: ['a'] } },
      'poll.options',
    ],
    ['no contacts', '/api/sendContactVcard', { session: SESSION, chatId: CHAT, contacts: [] }, 'contacts'],
    ['a session name with a slash', '/api/sessions', { name: 'a/b' }, 'name'],
    ['a session name that is a number', '/api/sessions', { name: 5 }, 'name'],
    ['a config that is a text', '/api/sessions', { name: 'fresh', config: 'x' }, 'config'],
    ['a start that is a text', '/api/sessions', { name: 'fresh', start: 'yes' }, 'start'],
    ['a phone number of letters', `/api/${SESSION}/auth/request-code`, { phoneNumber: 'abc' }, 'phoneNumber'],
  ])('%s: 400 that names the field', async (_what, path, body, field) => {
    const answer = await post(path, body);
    expectNoInsides(answer);
    expect(answer.status).toBe(400);
    const error = JSON.parse(answer.text);
    expect(error).toMatchObject({ statusCode: 400, code: 'validation' });
    const paths = error.issues.map((issue: { path: string }) => issue.path);
    expect(paths.some((each: string) => each === field || each.startsWith(`${field}.`))).toBe(true);
  });

  const NOT_JSON: [string, string | Uint8Array][] = [
    ['half a body', '{"session": "steady", '],
    ['no JSON at all', 'session=steady&text=hello'],
    ['a list', '[]'],
    ['a bare null', 'null'],
    ['a bare text', '"hello"'],
    ['nothing', ''],
    ['bad UTF-8 for a body', Buffer.from([0xff, 0xfe, 0x7b, 0x7d])],
    [
      'bad UTF-8 in a chat',
      Buffer.concat([
        Buffer.from('{"session":"steady","text":"x","chatId":"49151'),
        Buffer.from([0xc3, 0x28]),
        Buffer.from('@c.us"}'),
      ]),
    ],
    ['very deep JSON', `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
    [
      'deep JSON in a field',
      `{"session":"steady","chatId":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)},"text":"x"}`,
    ],
    ['a poisoned prototype', '{"__proto__":{"session":"steady"},"constructor":{"prototype":{"text":"x"}}}'],
  ];
  it.each(NOT_JSON)('%s: a 4xx with a code', async (_what, body) => {
    const answer = await raw('POST', '/api/sendText', body);
    expectNoInsides(answer);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'validation' });
  });

  it('11 MB: 413', async () => {
    const answer = await raw('POST', '/api/sendText', JSON.stringify(text({ text: 'x'.repeat(11 * 1024 * 1024) })));
    expect(answer.status).toBe(413);
    expectNoInsides(answer);
  });

  it('a text longer than any message: 400', async () => {
    expect((await post('/api/sendText', text({ text: 'x'.repeat(70_000) }))).status).toBe(400);
  });
});

describe('bad queries and paths', () => {
  it.each([
    ['limit=0', 'query.limit'],
    ['limit=-1', 'query.limit'],
    ['limit=ten', 'query.limit'],
    ['limit=1e9', 'query.limit'],
    ['limit=10&offset=-5', 'query.offset'],
    ['limit=10&sortOrder=up', 'query.sortOrder'],
    ['limit=10&filter.ack=SEEN', 'query.filter.ack'],
    ['limit=10&filter.timestamp.gte=now', 'query.filter.timestamp.gte'],
  ])('?%s: 400 that names it', async (query, field) => {
    const answer = await raw('GET', `/api/${SESSION}/chats/${CHAT}/messages?${query}`);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text).issues).toMatchObject([{ path: field }]);
  });

  it.each([
    `/api/${SESSION}/chats/nobody/messages`,
    `/api/${SESSION}/chats/${CHAT}/messages/a%20b`,
    `/api/files/${SESSION}/..%2f..%2fcheckpoints`,
    `/api/files/${SESSION}/%2e%2e/secret`,
    `/api/${SESSION}/jobs/nothing`,
    '/api/sessions/a%00b',
    '/api/sessions/%ff',
    `/api/sessions/${'x'.repeat(5_000)}`,
  ])('%s: a 4xx', async (path) => {
    const answer = await raw('GET', path);
    expect([400, 404]).toContain(answer.status);
    expectNoInsides(answer);
  });

  it.each<[string, string, unknown?]>([
    ['GET', '/api/sessions/nobody'],
    ['GET', '/api/sessions/nobody/me'],
    ['POST', '/api/sessions/nobody/start', {}],
    ['POST', '/api/sessions/nobody/logout', {}],
    ['PUT', '/api/sessions/nobody', { config: {} }],
    ['GET', '/api/nobody/auth/qr'],
    ['GET', '/api/nobody/chats'],
    ['POST', '/api/sendText', { session: 'nobody', chatId: CHAT, text: 'x' }],
    ['GET', '/api/nobody/jobs/job_1'],
  ])('%s %s, a session that does not exist: 404 in words', async (method, path, body) => {
    const answer = await raw(method, path, body === undefined ? undefined : JSON.stringify(body));
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.text)).toMatchObject({ statusCode: 404, code: 'not-found' });
    expect(JSON.parse(answer.text).message).toMatch(
      /^(Session not found$|We didn't find a session with name 'nobody'|Job 'job_1')/,
    );
  });

  it.each([
    `/api/${SESSION}/jobs/job_01ARZ3NDEKTSV4RRFFQ69G5FAV`,
    `/api/${SESSION}/chats/${CHAT}/messages/3EB0000000000000000000`,
    `/api/files/${SESSION}/nothing.jpg`,
  ])('%s, a thing that does not exist: 404', async (path) => {
    expect((await raw('GET', path)).status).toBe(404);
  });
});

describe('keys', () => {
  it.each([
    ['none', { 'x-api-key': '' }],
    ['a wrong one', { 'x-api-key': 'key_wrong' }],
    ['a very long one', { 'x-api-key': 'k'.repeat(4_000) }],
  ])('%s: 401 and nothing told', async (_what, headers) => {
    const answer = await post('/api/sendText', text({}), headers);
    expect(answer.status).toBe(401);
    expectNoInsides(answer);
    expect((await raw('GET', '/api/sessions', undefined, headers)).status).toBe(401);
  });

  it('are not needed to ask for life', async () => {
    const headers = { 'x-api-key': '' };
    expect(await raw('GET', '/ping', undefined, headers)).toMatchObject({ status: 200, text: '{"message":"pong"}' });
    expect((await raw('GET', '/health', undefined, headers)).status).toBe(200);
  });
});

describe('methods and routes', () => {
  it.each([
    ['GET', '/api/nothing/of/the/kind'],
    ['GET', '/favicon.ico'],
    ['POST', '/'],
    ['PATCH', '/api/sessions'],
    ['DELETE', '/api/sendText'],
    ['GET', '//api//sessions'],
    ['HEAD', '/api/nothing'],
  ])('%s %s: a 4xx', async (method, path) => {
    const answer = await raw(method, path);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expectNoInsides(answer);
  });

  it('OPTIONS answers a browser that asks first', async () => {
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST', 'x-api-key': '' };
    const answer = await raw('OPTIONS', '/api/sendText', undefined, headers);
    expect(answer.status).toBeLessThan(300);
    expect(answer.headers['access-control-allow-methods']).toMatch(/POST/);
  });

  it.each([
    ['prefer', 'wait=soon'],
    ['prefer', 'wait=-1'],
    ['idempotency-key', ''],
    ['idempotency-key', 'x'.repeat(5_000)],
  ])('a header %s that cannot be meant (%#) is no 5xx', async (name, value) => {
    const answer = await post('/api/sendText', text({ text: 5 }), { [name]: value });
    expect(answer.status).toBe(400);
    expectNoInsides(answer);
  });
});

describe('after all that', () => {
  it('nothing was created or changed', async () => {
    expect(await everything()).toBe(before);
    expect(sessionInfoSchema.parse(await running.api.get(`/api/sessions/${SESSION}`)).status).toBe('WORKING');
  });

  it('the simulator has nothing to complain about', async () => {
    expect(await complaints(running)).toEqual(NO_COMPLAINTS);
    expect((await running.whatsapp.stats()).messagesIn).toBe(0);
  });
});
