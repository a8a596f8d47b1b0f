import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { OPERATIONS } from '#shared/contracts/api/index.ts';
import type { Operation } from '#shared/contracts/api/operation.ts';
import { arbitraryInput } from './test-support/arbitrary.ts';
import { TestApi } from './test-support/test-api.ts';

const GOOD_PATH: Readonly<Record<string, string>> = {
  session: 'main',
  chatId: '491511234567@c.us',
  messageId: 'true_491511234567@c.us_3EB0AAAAAAAA',
  id: 'job_1',
  file: 'photo.jpg',
};
const refusalSchema = z.object({
  statusCode: z.literal(400),
  error: z.literal('Bad Request'),
  code: z.literal('validation'),
  message: z.array(z.string()).min(1),
  issues: z.array(z.object({ path: z.string().min(1), message: z.string().min(1) })).min(1),
});

const KEY_ID = `key_id_${'0'.repeat(26)}`;
const key = { isAdmin: true };

const withBody = OPERATIONS.filter((operation) => operation.request.body !== undefined);
const withQuery = OPERATIONS.filter((operation) => operation.request.query !== undefined);
const withSession = OPERATIONS.filter((operation) => operation.session === 'params.session');

function pathOf(operation: Operation, values: Readonly<Record<string, string>> = GOOD_PATH): string {
  const known = operation.group === 'keys' ? { ...values, id: KEY_ID } : values;
  return operation.path.replace(/\{(\w+)\+?\}/g, (_all, name: string) => known[name] ?? 'x');
}

async function api(): Promise<TestApi> {
  const created = new TestApi({ ownerWaitMs: 0, stateWaitMs: 0, commandWaitMs: 0 });
  await created.session('main');
  const grant = { name: null, isAdmin: false, isActive: true, session: null, actions: [] };
  await created.keys.create({ ...grant, id: KEY_ID, version: 1, hash: 'x', createdAt: 0 });
  created.queued.length = 0;
  return created;
}

async function everything(api: TestApi): Promise<unknown> {
  return { sessions: await api.sessions.list(), keys: await api.keys.list(), queued: api.queued };
}

describe('bad input', () => {
  it.each(withBody.map((operation) => [operation.id, operation] as const))(
    '%s refuses a body of the wrong form and changes nothing',
    async (_id, operation) => {
      const server = await api();
      const before = structuredClone(await everything(server));
      for (const body of [
        '{',
        '[]',
        '"text"',
        'null',
        '{"session": 5, "name": 5, "config": 5, "text": 5, "overlapSeconds": 0.5, "isAdmin": 5}',
      ]) {
        const answer = await server.call(operation.method, pathOf(operation), { body, key });
        expect(answer.status, `${body}: ${answer.text}`).toBe(400);
        expect(() => refusalSchema.parse(answer.json)).not.toThrow();
      }
      expect(await everything(server)).toEqual(before);
    },
  );

  it.each(withSession.map((operation) => [operation.id, operation] as const))(
    '%s names the path of a bad session name',
    async (_id, operation) => {
      const server = await api();
      const before = structuredClone(await everything(server));
      const path = pathOf(operation, { ...GOOD_PATH, session: 'no%20good' });
      const answer = await server.call(operation.method, path, operation.request.body ? { body: {} } : {});
      expect(answer.status).toBe(400);
      expect(refusalSchema.parse(answer.json).issues.map((issue) => issue.path)).toContain('path.session');
      expect(await everything(server)).toEqual(before);
    },
  );

  it.each([
    ['GET', '/api/main/chats/all/messages?limit=0', 'query.limit'],
    ['GET', '/api/main/chats/all/messages?limit=5&filter.ack=NEVER', 'query.filter.ack'],
    ['GET', '/api/main/chats/nobody/messages', 'path.chatId'],
    ['GET', '/api/main/chats/%zz/messages', 'path.chatId'],
    ['GET', '/api/contacts/check-exists?session=main', 'query.phone'],
    ['GET', '/api/sessions?all=perhaps', 'query.all'],
    ['GET', '/api/main/auth/qr?format=jpeg', 'query.format'],
  ])('%s %s is refused for %s', async (method, url, path) => {
    const answer = await (await api()).call(method, url);
    expect(answer.status, answer.text).toBe(400);
    expect(refusalSchema.parse(answer.json).issues.map((issue) => issue.path)).toContain(path);
  });

  const to = { session: 'main', chatId: '491511234567' };
  it.each([
    ['/api/sendText', { ...to }, 'text'],
    ['/api/sendText', { ...to, text: '' }, 'text'],
    ['/api/sendText', { ...to, chatId: 'nobody', text: 'x' }, 'chatId'],
    ['/api/sendText', { ...to, text: 'x', id: 'has space' }, 'id'],
    ['/api/sendText', { ...to, text: 'x', reply_to: '?' }, 'reply_to'],
    ['/api/sendText', { ...to, session: 'a/b', text: 'x' }, 'session'],
    ['/api/sendImage', { ...to, file: { url: 'file:///etc/passwd' } }, 'file.url'],
    ['/api/sendImage', { ...to, file: { url: 'not a url' } }, 'file.url'],
    ['/api/sendImage', { ...to, file: { url: 'https://example.com:8443/a.png' } }, 'file.url'],
    ['/api/sendImage', { ...to, file: {} }, 'file.url'],
    ['/api/sendImage', { ...to, file: { data: '***' } }, 'file.data'],
    ['/api/sendImage', { ...to, file: { data: 'AAAA', mimetype: 'png' } }, 'file.mimetype'],
    ['/api/sendPoll', { ...to, poll: { name: 'q', options: ['one'] } }, 'poll.options'],
    ['/api/sendPoll', { ...to, poll: { name: 'q', options: ['one', 'one'] } }, 'poll.options'],
    ['/api/sendLocation', { ...to, latitude: 91, longitude: 0 }, 'latitude'],
    ['/api/sendContactVcard', { ...to, contacts: [] }, 'contacts'],
  ])('POST %s with %j is refused for %s', async (url, body, path) => {
    const server = await api();
    const answer = await server.call('POST', url, { body });
    expect(answer.status, answer.text).toBe(400);
    expect(refusalSchema.parse(answer.json).issues.map((issue) => issue.path)).toContain(path);
    expect(server.queued).toEqual([]);
  });

  it('takes no body for an empty one', async () => {
    const server = await api();
    expect((await server.call('POST', '/api/sessions')).status).toBe(201);
    expect((await server.call('POST', '/api/sendText')).json).toMatchObject({ code: 'validation' });
  });

  it('does not repeat a body that is not JSON', async () => {
    const answer = await (await api()).call('POST', '/api/sendText', { body: '{"text": "secret' });
    expect(answer.text).not.toContain('secret');
  });
});

describe('any input', () => {
  it.each([...new Set([...withBody, ...withQuery])].map((operation) => [operation.id, operation] as const))(
    '%s answers 2xx or 4xx, and never more than the schema lets through',
    async (_id, operation) => {
      const server = await api();
      const { body, query } = operation.request;
      const bodies = body === undefined ? fc.constant(undefined) : arbitraryInput(body);
      const queries = query === undefined ? fc.constant({}) : arbitraryInput(query);
      await fc.assert(
        fc.asyncProperty(bodies, queries, async (someBody, someQuery) => {
          const search = new URLSearchParams();
          for (const [name, value] of Object.entries(someQuery ?? {}))
            search.append(name, typeof value === 'string' ? value : JSON.stringify(value));
          const url = `${pathOf(operation)}?${search}`;
          const answer = await server.call(operation.method, url, {
            key,
            ...(someBody === undefined ? {} : { body: someBody }),
          });
          expect(answer.status, `${url} ${JSON.stringify(someBody)} ${answer.text}`).toBeLessThan(500);
          if (answer.status >= 400) expect(answer.json).toHaveProperty('code');
        }),
        { numRuns: Number(process.env.FUZZ_RUNS ?? 40) },
      );
    },
  );
});
