import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { arbitraryInput } from '#functions/api/test-support/arbitrary.ts';
import { OPERATIONS } from '#shared/contracts/api/index.ts';
import type { Operation } from '#shared/contracts/api/operation.ts';
import { functionName } from '#shared/contracts/api/routes.ts';
import { iamEntryId } from '#shared/domain/iam-principal.ts';
import { jobRow, waMessage } from '../contracts/rows.ts';
import { mp4, oggOpus, PIXEL } from '../support/media-samples.ts';
import { CHAT, ENDPOINT, EVENT, KEY_ID, MESSAGE, RightsWorld, WEBHOOK } from './support/rights-world.ts';

const TRIES = 80;
const LONG_ID = `true_${CHAT}_${MESSAGE}`;
const PHONE = '4915100000001';
/** What fields are called, and something for each that is there or of the right form. */
const KNOWN: Readonly<Record<string, unknown>> = {
  session: 'alpha',
  chatId: CHAT,
  messageId: LONG_ID,
  phone: PHONE,
  phoneNumber: PHONE,
  text: 'hello',
  limit: 10,
  latitude: 1.5,
  longitude: 2.5,
  emoji: '👍',
  reaction: '👍',
  poll: { name: 'Lunch?', options: ['yes', 'no'], multipleAnswers: false },
  contacts: [{ fullName: 'Ada', phoneNumber: '+4915100000001' }],
  config: {},
  endpoint: ENDPOINT,
  events: [EVENT],
  from: null,
};
const inline = (data: string) => ({ file: { data } });
/** What is sent inline has to be what it is sent as. */
const FILES: Readonly<Record<string, ReturnType<typeof inline>>> = {
  sendImage: inline(PIXEL),
  sendFile: inline(PIXEL),
  sendVideo: inline(mp4().toString('base64')),
  sendVoice: inline(oggOpus().toString('base64')),
};
const PATH: Readonly<Record<string, string>> = {
  session: 'alpha',
  chatId: CHAT,
  messageId: LONG_ID,
  id: 'job_1',
  file: 'photo.jpg',
};

const world = new RightsWorld();
beforeAll(() => world.start(), 60_000);
afterAll(() => world.stop());
beforeEach(async () => {
  world.failing.clear();
  await world.setTheScene();
  await world.stores().webhooks.declare('alpha', ENDPOINT, 1, 1_000);
});

/** Calls an operation with inputs of its schema until one of them is not of the wrong form. */
async function callOnce({ id, method, path, request, group }: Operation): Promise<number> {
  const url = path.replace(/\{(\w+)\+?\}/g, (_all, name: string) =>
    encodeURIComponent((name === 'id' && group === 'keys' ? KEY_ID : PATH[name]) ?? 'x'),
  );
  const options = { numRuns: TRIES, seed: 7 };
  // First what is known to be there, then what comes to mind.
  const bodies =
    request.body === undefined ? [] : [fields(request.body), ...fc.sample(arbitraryInput(request.body), options)];
  const queries = request.query === undefined ? [] : fc.sample(arbitraryInput(request.query), options);
  let status = 0;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(sensible(queries[attempt], 'query'))) query.set(name, String(value));
    const body = request.body === undefined ? {} : { body: { ...sensible(bodies[attempt], 'body'), ...FILES[id] } };
    status = (await world.call(method, `${url}?${query}`, body)).status;
    if (status !== 400) return status;
  }
  return status;
}

const fields = (schema: z.ZodObject) =>
  Object.fromEntries(Object.keys(schema.shape).flatMap((name) => (name in KNOWN ? [[name, null]] : [])));

/** Where inputs name something, they name what is there. */
function sensible(input: unknown, place: 'query' | 'body'): Record<string, unknown> {
  const given = typeof input === 'object' && input !== null ? Object.entries(input) : [];
  return Object.fromEntries(
    given.map(([name, value]) => [name, KNOWN[name] ?? (place === 'body' && name === 'name' ? 'beta' : value)]),
  );
}

const groups = [...new Set(OPERATIONS.map(({ group }) => functionName(group)))];
const mayAll = () => expect(groups.flatMap((name) => world.refused(name))).toEqual([]);

describe('what the functions of the API ask of AWS is what their roles allow', () => {
  it.each(OPERATIONS.map((operation) => [operation.id, operation] as const))('%s', async (_id, operation) => {
    const status = await callOnce(operation);
    expect(status).not.toBe(400);
    expect(status).toBeLessThan(500);
    expect(world.refused(functionName(operation.group))).toEqual([]);
  });

  const closed = new Set(OPERATIONS.filter(({ scope }) => scope !== 'public').map(({ group }) => functionName(group)));
  it.each([...closed])('%s finds out what an IAM principal may do', async (name) => {
    const principal = 'arn:aws:iam::123456789012:user/ada';
    const { sessions, keys } = world.stores();
    const session = await sessions.get('alpha');
    const id = iamEntryId(principal);
    const grant = { name: null, isAdmin: false, isActive: true, session: 'alpha', incarnation: session?.incarnation };
    await keys.remove(id, 1);
    await keys.create({ ...grant, id, version: 1, principal, actions: ['read'], createdAt: 1 });
    expect(await world.signedCallers.get(name)?.(principal)).toMatchObject({ session: 'alpha', isAdmin: false });
    expect(world.refused(name)).toEqual([]);
  });

  it('a key of one session', async () => {
    const made = await world.call('POST', '/api/keys', { body: { session: 'alpha' } });
    const { key } = z.object({ key: z.string() }).parse(JSON.parse(made.text));
    expect((await world.call('GET', '/api/alpha/chats', { key })).status).toBe(200);
    expect(world.refused('authorizer')).toEqual([]);
  });

  it('the list of all keys', async () => {
    expect((await world.call('GET', '/api/keys')).status).toBe(200);
    mayAll();
  });
});

/** A command of each group that has some. */
const COMMANDS = [
  ['api-contacts', 'GET', `/api/contacts/check-exists?session=alpha&phone=${PHONE}`, undefined],
  ['api-chatting', 'POST', '/api/sendSeen', { session: 'alpha', chatId: CHAT, messageIds: [`false_${CHAT}_INCOMING`] }],
  ['api-chats', 'PUT', `/api/alpha/chats/${CHAT}/messages/${LONG_ID}`, { text: 'hello' }],
  ['api-pairing', 'POST', '/api/alpha/auth/request-code', { phoneNumber: PHONE }],
] as const;

describe('a command', () => {
  beforeEach(async () => {
    await world.stores().messages.add('alpha', waMessage({ id: 'INCOMING' }), 2);
  });

  it.each(COMMANDS)('of %s that is waited for', async (name, method, path, body) => {
    if (name === 'api-pairing') await world.setTheScene('SCAN_QR_CODE');
    const { jobs } = world.stores();
    const before = new Set((await jobs.listOpen('socket-00')).map(({ jobId }) => jobId));
    const answer = world.call(method, path, { body, headers: { prefer: 'wait=20' } });
    // What a host would do.
    const job = await vi.waitFor(async () => {
      const made = (await jobs.listOpen('socket-00')).find(({ jobId }) => !before.has(jobId));
      if (made === undefined) throw new Error('there is no job yet');
      return made;
    });
    await jobs.advance('alpha', job.jobId, 1, { state: name === 'api-chats' ? 'SENT' : 'DONE', result: {} });
    expect((await answer).status).toBeLessThan(300);
    expect(world.refused(name)).toEqual([]);
  });

  it.each(COMMANDS)('of %s that its queue does not take', async (name, method, path, body) => {
    if (name === 'api-pairing') await world.setTheScene('SCAN_QR_CODE');
    world.failing.add('sqs:SendMessage');
    expect((await world.call(method, path, { body })).status).toBe(503);
    expect(world.refused(name)).toEqual([]);
  });
});

describe('what is read', () => {
  it('chats by their ids', async () => {
    const body = { pagination: { limit: 10, offset: 0 }, filter: { ids: [CHAT] } };
    expect((await world.call('POST', '/api/alpha/chats/overview', { body })).text).toContain(CHAT);
    mayAll();
  });

  it('jobs, and the receipts of a message that was sent', async () => {
    const { jobs, messages } = world.stores();
    // Somebody else's was there first.
    for (const fromMe of [false, true]) await messages.add('alpha', waMessage({ id: 'SHARED', fromMe }), 1);
    await jobs
      .create(jobRow({ jobId: 'job_sent', messageId: 'SHARED', openShard: 'socket-00' }))
      .catch(() => undefined);
    await jobs.advance('alpha', 'job_sent', 1, { state: 'SENT' });
    expect((await world.call('GET', '/api/alpha/jobs?limit=1')).text).toContain('job_');
    expect((await world.call('GET', '/api/alpha/jobs/job_sent')).status).toBe(200);
    mayAll();
  });
});

describe('sessions', () => {
  const other = { url: 'http://127.0.0.1:9/other', events: ['*'] };
  const create = () =>
    world.call('POST', '/api/sessions', { body: { name: 'gamma', config: { webhooks: [WEBHOOK, other] } } });
  const remove = async () => {
    const { sessions } = world.stores();
    const row = await sessions.get('gamma');
    if (row !== undefined) await sessions.remove('gamma', row.incarnation, row.epoch);
  };

  it('of a name that something is left of, with webhooks, and with others instead', async () => {
    await remove();
    const { messages, chats, webhooks } = world.stores();
    await messages.add('gamma', waMessage({ id: MESSAGE }), 1);
    await chats.touch('gamma', CHAT, { id: MESSAGE, timestamp: 1, seq: 1 });
    await webhooks.declare('gamma', ENDPOINT, 1, 0);
    const endpoint = await webhooks.get('gamma', ENDPOINT);
    if (endpoint === undefined) throw new Error('there is no endpoint');
    const delivery = { seq: 1, state: 'RETRYING', eventId: EVENT, event: 'message', loggedAt: 1, attempts: 1 } as const;
    await webhooks.setAside(endpoint, [{ ...delivery, dueAt: 1, giveUpAt: 9e15, ttl: 4e9 }]);
    expect((await create()).status).toBe(201);
    expect((await messages.query('gamma', { limit: 9, offset: 0, sortOrder: 'asc' })).length).toBe(0);
    const body = { config: { webhooks: [other] } };
    expect((await world.call('PUT', '/api/sessions/gamma', { body })).status).toBe(200);
    expect(await webhooks.list('gamma')).toHaveLength(1);
    mayAll();
  });

  it('whose host could not be told', async () => {
    await remove();
    world.failing.add('sqs:SendMessage');
    expect((await create()).status).toBe(503);
    expect(await world.stores().sessions.get('gamma')).toBeUndefined();
    mayAll();
  });

  it('that are deleted, with their keys', async () => {
    expect((await world.call('DELETE', '/api/sessions/alpha')).status).toBeLessThan(300);
    expect(await world.stores().keys.get(KEY_ID)).toBeUndefined();
    mayAll();
  });
});

it('what roles allow of tables is asked for', () => {
  expect(groups.length).toBeGreaterThan(9);
  expect(world.unneeded([...groups, 'authorizer', 'administrator-key'])).toEqual([]);
});
