import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createIdentifyKey } from '#functions/authorizer/identify-key.ts';
import { OPERATIONS } from '#shared/contracts/api/index.ts';
import type { Operation } from '#shared/contracts/api/operation.ts';
import { type ApiKeyRow, KEY_ACTIONS } from '#shared/contracts/rows.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { waMessage } from '#test/contracts/rows.ts';
import { PIXEL } from '#test/support/media-samples.ts';
import { arbitraryInput } from './test-support/arbitrary.ts';
import {
  CANARY,
  furnishOther,
  type OtherIds,
  SESSION,
  SHARED_WEBHOOK,
  stateOfOther,
} from './test-support/other-session.ts';
import { type Answer, TestApi } from './test-support/test-api.ts';

const RUNS = { numRuns: Number(process.env.FUZZ_RUNS ?? 40) };
const protectedOperations = OPERATIONS.filter(({ scope }) => scope !== 'public').map(
  (operation) => [operation.id, operation] as const,
);
const naming = protectedOperations.filter(([, { session }]) => session !== null);

let api: TestApi;
let ids: OtherIds;
/** A key of the session `mine` that may do everything a session's key can. */
let key: ApiKeyRow;
let before: unknown;

beforeAll(async () => {
  api = new TestApi({ ownerWaitMs: 0, stateWaitMs: 0, commandWaitMs: 0 });
  const payload = waMessage({ id: '3EB0CCCCCCCCCCCCCCCCCC', body: `${CANARY} of an event` });
  const named = { id: 'evt_11111111111111111111111111', session: SESSION, seq: 7 };
  ids = await furnishOther(api, eventEnvelope({ event: 'message', payload }, named));
  await api.session('mine');
  const actions = Object.fromEntries(KEY_ACTIONS.map((action) => [action, true]));
  const made = await api.call('POST', '/api/keys', { key: { isAdmin: true }, body: { session: 'mine', actions } });
  const identified = await createIdentifyKey({ ...api.deps, readPepper: async () => api.pepper })(
    (made.json as { key: string }).key,
  );
  if (identified === undefined) throw new Error('the key does not work');
  key = identified.row;
  before = structuredClone(await stateOfOther(api, ids));
  expect(JSON.stringify(before).split(CANARY).length).toBeGreaterThan(8);
});

/** What was tried before may have deleted it. */
beforeEach(async () => {
  const left = await api.sessions.get('mine');
  if (left !== undefined) await api.sessions.remove('mine', left.incarnation, left.epoch);
  const body = { name: 'mine', config: { webhooks: [SHARED_WEBHOOK] } };
  expect((await api.call('POST', '/api/sessions', { body })).status).toBe(201);
});

/** The other session's ids wherever a field has one of their names. */
function withTheirs(fields: Readonly<Record<string, unknown>>, session: string): Record<string, unknown> {
  const theirs: Readonly<Record<string, unknown>> = {
    ...{ session, name: session },
    ...{ chatId: ids.chatId, phone: ids.phone, messageId: ids.messageId, reply_to: ids.messageId },
    messageIds: [ids.messageId],
    ...{ endpoint: ids.endpoint, events: [ids.eventId] },
  };
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, theirs[name] ?? value]));
}

function pathOf({ path, group }: Operation, session: string): string {
  const id = group === 'keys' ? ids.keyId : ids.jobId;
  const values: Readonly<Record<string, string>> = { ...ids, session, id };
  return path.replace(/\{(\w+)\+?\}/g, (_all, name: string) => values[name] ?? 'x');
}

/** For fields that must be there. */
const GOOD: Readonly<Record<string, unknown>> = {
  text: 'x',
  file: { mimetype: 'image/png', data: PIXEL },
  poll: { name: 'q', options: ['a', 'b'] },
  contacts: [{ vcard: 'BEGIN:VCARD' }],
  pagination: { limit: 10, offset: 0 },
  events: ['evt_11111111111111111111111111'],
  ...{ latitude: 1, longitude: 1, limit: 10, reaction: 'x', phoneNumber: '491511234567' },
};

/** The same input with what would not be accepted left out, or replaced where it must be there. */
function accepted(schema: z.ZodObject | undefined, input: Record<string, unknown>): Record<string, unknown> {
  const theirs: Readonly<Record<string, unknown>> = { ...ids };
  const parsed = JSON.parse(JSON.stringify(input)) as Record<string, unknown>;
  const fields = Object.entries(schema?.shape ?? {}).flatMap(([name, field]) => {
    const values = [parsed[name], undefined, GOOD[name] ?? theirs[name]];
    const value = values.find((one) => z.safeParse(field, one).success);
    return value === undefined ? [] : [[name, value]];
  });
  const chosen = Object.fromEntries(fields);
  if (schema === undefined || schema.safeParse(chosen).success) return chosen;
  // Each by itself is right, and together they are not: then only what is known to be.
  const known = Object.keys(schema.shape).flatMap((name) => {
    const value = GOOD[name] ?? theirs[name] ?? chosen[name];
    return name in GOOD || name in theirs || !schema.shape[name]?.safeParse(undefined).success ? [[name, value]] : [];
  });
  return Object.fromEntries(known);
}

const inputs = (schema: z.ZodObject | undefined): fc.Arbitrary<Record<string, unknown>> =>
  schema === undefined
    ? fc.constant({})
    : arbitraryInput(schema).map((value) => (typeof value === 'object' && value !== null ? { ...value } : {}));

interface Request {
  readonly url: string;
  readonly body: Record<string, unknown> | undefined;
}

/**
 * Requests of an operation with the other session's ids; `session` is what they name as their session.
 *
 * @param asWanted makes an input fit its schema, or not
 */
function requests(operation: Operation, session: string, asWanted: typeof accepted): fc.Arbitrary<Request> {
  const { query, body } = operation.request;
  return fc.tuple(inputs(query), inputs(body)).map(([someQuery, someBody]) => {
    const named = { ...someQuery, ...(operation.session === 'query.session' && { session }) };
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(asText(withTheirs(named, session)))) search.append(name, value);
    const fitting = Object.entries(asWanted(query, Object.fromEntries(search)));
    const wanted = new URLSearchParams(Object.fromEntries(fitting.map(([name, value]) => [name, String(value)])));
    const field = operation.session?.startsWith('body.') ? { [operation.session.slice('body.'.length)]: session } : {};
    return {
      url: `${pathOf(operation, session)}?${wanted}`,
      body: body === undefined ? undefined : asWanted(body, withTheirs({ ...someBody, ...field }, session)),
    };
  });
}

const asText = (fields: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
const asItIs: typeof accepted = (_schema, input) => input;

const ask = (operation: Operation, { url, body }: Request): Promise<Answer> =>
  api.call(operation.method, url, { key, ...(body === undefined ? {} : { body }) });

/** Nothing of the other session is in the answer: neither in its body, nor in a header. */
function assertSilent({ text, headers }: Answer): void {
  expect(`${text} ${JSON.stringify(headers)}`).not.toContain(CANARY);
}

describe('with a key of one session', () => {
  it.each(naming)('%s of another session is 403, whatever else the request says', async (_id, operation) => {
    await fc.assert(
      fc.asyncProperty(requests(operation, ids.session, accepted), async (request) => {
        const answer = await ask(operation, request);
        assertSilent(answer);
        expect(answer.status, `${request.url} ${JSON.stringify(request.body)} ${answer.text}`).toBe(403);
      }),
      RUNS,
    );
    expect(await stateOfOther(api, ids)).toEqual(before);
  });

  it.each(protectedOperations)(
    '%s with ids of another session tells nothing and changes nothing',
    async (_id, operation) => {
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(requests(operation, 'mine', accepted), requests(operation, 'mine', asItIs)),
          async (request) => {
            const answer = await ask(operation, request);
            assertSilent(answer);
            expect(answer.status, answer.text).toBeLessThan(500);
          },
        ),
        RUNS,
      );
      expect(await stateOfOther(api, ids)).toEqual(before);
    },
  );

  const within = protectedOperations.filter(
    ([, { path, method, group }]) =>
      group === 'keys' || (/\{(?:id|file\+|messageId)\}$/.test(path) && (method === 'GET' || group === 'jobs')),
  );
  it.each(within)('%s does not find what is another session’s', async (_id, operation) => {
    await fc.assert(
      fc.asyncProperty(requests(operation, 'mine', accepted), async (request) => {
        const answer = await ask(operation, request);
        expect([403, 404], `${request.url} ${answer.text}`).toContain(answer.status);
      }),
      RUNS,
    );
  });

  it.each(naming)('%s is not misled by a second session in the same request', async (_id, operation) => {
    const places: Readonly<Record<string, (request: Request) => Request>> = {
      query: ({ url, body }) => ({ url: `${url}&session=${ids.session}&name=${ids.session}`, body }),
      before: ({ url, body }) => ({ url: url.replace('?', `?session=${ids.session}&name=${ids.session}&`), body }),
      body: ({ url, body }) => ({ url, body: body && { session: ids.session, name: ids.session, ...body } }),
    };
    await fc.assert(
      fc.asyncProperty(
        requests(operation, 'mine', accepted),
        fc.constantFrom(...Object.keys(places)),
        async (request, place) => {
          assertSilent(await ask(operation, places[place]?.(request) ?? request));
        },
      ),
      RUNS,
    );
    expect(await stateOfOther(api, ids)).toEqual(before);
  });

  it.each([
    '/api/sessions/%6fther',
    '/api/sessions/mine%2f..%2fother',
    '/api/files/mine/../other/photo.jpg',
    '/api/files/mine/..%2fother/photo.jpg',
    '/api/files/mine/%2e%2e/other/photo.jpg',
    '/api/mine%2f..%2fother/chats',
    '/api/OTHER/chats',
  ])('GET %s leads nowhere', async (url) => {
    const answer = await api.call('GET', url, { key });
    assertSilent(answer);
    expect([400, 403, 404]).toContain(answer.status);
  });

  it('lists show its own session only', async () => {
    for (const url of ['/api/sessions?all=true', `/api/sessions?all=true&session=${ids.session}`]) {
      const answer = await api.call('GET', url, { key });
      assertSilent(answer);
      expect(answer.text).not.toContain(`"${ids.session}"`);
    }
  });
});
