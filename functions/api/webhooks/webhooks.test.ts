import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { createRuleBrokenBy } from '#shared/adapters/vetted-target.ts';
import { sessionInfoSchema } from '#shared/contracts/api/bodies.ts';
import { webhookDeliverySchema, webhookStateSchema } from '#shared/contracts/api/webhook-bodies.ts';
import { webhookEndpoints } from '#shared/contracts/webhooks.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { waMessage } from '#test/contracts/rows.ts';
import { TestApi } from '../test-support/test-api.ts';

const HOOK = { url: 'https://receiver.test/hook', events: ['message'] };
const OTHER = { url: 'https://other.test/', events: ['*'] };
const GLOBAL = { url: 'https://operator.test/', events: ['*'] };
const [hook = '', other = ''] = webhookEndpoints([HOOK, OTHER], undefined).map(({ id }) => id);
const globalId = webhookEndpoints([], GLOBAL)[0]?.id ?? '';

async function setUp(
  webhooks: readonly object[] = [HOOK, OTHER],
  config: ConstructorParameters<typeof TestApi>[0] = {},
  deps: ConstructorParameters<typeof TestApi>[1] = {},
) {
  const api = new TestApi({ ownerWaitMs: 0, ...config }, deps);
  const answer = await api.call('POST', '/api/sessions', { body: { name: 'main', config: { webhooks } } });
  return { api, answer };
}

async function log(api: TestApi, ...seqs: readonly number[]) {
  for (const seq of seqs) {
    const payload = waMessage({ id: `MESSAGE${seq}` });
    const event = seq % 10 === 0 ? 'message.any' : 'message';
    await api.eventLog.append([eventEnvelope({ event, payload }, { session: 'main', seq, id: `evt_${seq}` })]);
  }
}

const states = async (api: TestApi) =>
  z.array(webhookStateSchema).parse((await api.call('GET', '/api/main/webhooks')).json);
const put = (api: TestApi, webhooks: readonly object[]) =>
  api.call('PUT', '/api/sessions/main', { body: { config: { webhooks } } });

describe('a new session', () => {
  it('loses nothing for its webhooks, the installation’s own included, though a host is faster than its request', async () => {
    const api = new TestApi({ ownerWaitMs: 0, globalWebhook: GLOBAL });
    const create = api.sessions.create.bind(api.sessions);
    let first = 0;
    api.sessions.create = async (row) => {
      await create(row);
      // As a host numbers it that finds the row in its listing.
      first = row.createdAt + 1;
      await log(api, first);
    };
    await api.call('POST', '/api/sessions', { body: { name: 'main', config: { webhooks: [HOOK] } } });
    const rows = await api.webhooks.list('main');
    expect(rows.map(({ endpointId }) => endpointId).sort()).toEqual([hook, globalId].sort());
    for (const { cursor } of rows)
      expect((await api.eventLog.read('main', cursor, 10)).at(0)?.envelope.seq).toBe(first);
  });
});

describe('a configuration', () => {
  it('announces its webhooks, for what happens from then on', async () => {
    const { api } = await setUp([HOOK]);
    const begin = (await api.sessions.get('main'))?.createdAt ?? 0;
    await log(api, begin + 1, begin + 2);
    await put(api, [HOOK, OTHER]);
    expect(await api.webhooks.list('main')).toMatchObject(
      [
        { endpointId: hook, cursor: begin },
        { endpointId: other, cursor: begin + 2 },
      ].toSorted((a, b) => (a.endpointId < b.endpointId ? -1 : 1)),
    );
    expect(api.timers.map(({ endpointId }) => endpointId).toSorted()).toEqual([hook, other].toSorted());
  });

  it('forgets the webhooks that are not in it any more, and enables those that are', async () => {
    const { api } = await setUp();
    for (const row of await api.webhooks.list('main'))
      await api.webhooks.advance(row, { disabled: { at: 1, reason: 'gone' }, failures: 9, nextTryAt: 9e15 });
    expect((await states(api)).map(({ state }) => state)).toEqual(['DISABLED', 'DISABLED']);
    await put(api, [OTHER]);
    expect(await states(api)).toMatchObject([{ id: other, state: 'ACTIVE', failures: 0, nextTryAt: null }]);
    expect(await api.webhooks.get('main', hook)).toBeUndefined();
  });

  it('restarts a running session only when something else changes', async () => {
    const { api } = await setUp([HOOK]);
    const token = async () => (await api.sessions.get('main'))?.restartToken;
    await put(api, [OTHER]);
    expect(await token()).toBeUndefined();
    await api.call('PUT', '/api/sessions/main', { body: { config: { webhooks: [OTHER], debug: true } } });
    expect(await token()).toBeDefined();
  });

  it('begins anew with a session of the same name', async () => {
    const { api } = await setUp([HOOK]);
    const [row] = await api.webhooks.list('main');
    if (row === undefined) throw new Error('no endpoint');
    await api.webhooks.advance(row, { delivered: 5 });
    await api.sessions.remove('main', (await api.sessions.get('main'))?.incarnation ?? '', 0);
    await api.call('POST', '/api/sessions', { body: { name: 'main', config: { webhooks: [HOOK] } } });
    expect(await api.webhooks.list('main')).toMatchObject([{ delivered: 0 }]);
  });

  const whsec = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;
  it.each<[string, object]>([
    ['url', { url: 'ftp://receiver.test/' }],
    ['url', { url: 'not a url' }],
    ['url', { url: 'http://127.0.0.1/' }],
    ['url', { url: 'http://localhost:3000/' }],
    ['url', { url: 'http://169.254.169.254/latest/' }],
    ['url', { url: 'http://user:password@receiver.test/' }],
    ['url', { url: `https://receiver.test/${'a'.repeat(2_048)}` }],
    ['events.1', { events: ['message', 'mesage'] }],
    ['retries.attempts', { retries: { attempts: 101 } }],
    ['retries.delaySeconds', { retries: { delaySeconds: -1 } }],
    ['retries.policy', { retries: { policy: 'random' } }],
    ['customHeaders.0.name', { customHeaders: [{ name: 'Webhook-Id', value: 'x' }] }],
    ['customHeaders.0.name', { customHeaders: [{ name: 'Transfer-Encoding', value: 'x' }] }],
    ['customHeaders.0.name', { customHeaders: [{ name: 'a b', value: 'x' }] }],
    ['customHeaders.0.value', { customHeaders: [{ name: 'X-A', value: 'x\r\nX-B: y' }] }],
    ['secrets.0', { secrets: ['secret'] }],
    ['secrets.0', { secrets: [whsec(23)] }],
    ['secrets', { secrets: [whsec(24), whsec(25), whsec(26)] }],
    ['filter.textPattern', { filter: { textPattern: '(?=a)' } }],
    ['filter.textPattern', { filter: { textPattern: '(' } }],
    ['filter.chats.allow.0', { filter: { chats: { allow: ['nobody'] } } }],
  ])('with a wrong %s is refused, and changes nothing: %o', async (field, wrong) => {
    const { api, answer } = await setUp([{ ...HOOK, ...wrong }]);
    expect(answer.status, answer.text).toBe(400);
    const { issues } = z.object({ issues: z.array(z.object({ path: z.string() })) }).parse(answer.json);
    expect(issues.map(({ path }) => path)).toEqual([`config.webhooks.0.${field}`]);
    expect(await api.sessions.get('main')).toBeUndefined();
    expect(await api.webhooks.list('main')).toEqual([]);
  });

  it('may have everything that there is, and private hosts that the operator allows', async () => {
    const full = {
      url: 'http://10.0.0.5:8080/hook',
      events: ['*', 'engine.event'],
      hmac: { key: 'k' },
      retries: { policy: 'exponential', delaySeconds: 2, attempts: 15 },
      customHeaders: [{ name: 'Authorization', value: 'Bearer x' }],
      secrets: [whsec(24), whsec(64)],
      ordered: true,
      filter: { skipOwn: true, textPattern: '^!', chats: { allow: ['4915112345678'], deny: [] } },
    };
    const { answer } = await setUp([full], {}, { ruleBrokenBy: createRuleBrokenBy(new Set(['10.0.0.5'])) });
    expect(answer.status, answer.text).toBe(201);
    expect(sessionInfoSchema.parse(answer.json).config.webhooks).toEqual([full]);
  });
});

describe('the state of webhooks', () => {
  it('is shown with the session, the installation’s own without its address', async () => {
    const { api } = await setUp([HOOK], { globalWebhook: GLOBAL });
    const [row] = (await api.webhooks.list('main')).filter(({ endpointId }) => endpointId === hook);
    if (row === undefined) throw new Error('no endpoint');
    const last = { at: 5, outcome: 'transient', status: 503, reason: 'status-503', eventId: 'evt_1' } as const;
    await api.webhooks.advance(row, { last, failures: 5, nextTryAt: 9e15, delivered: 3, failed: 1 });
    const expected = [
      { id: hook, url: HOOK.url, state: 'PAUSED', failures: 5, nextTryAt: 9e15, delivered: 3, failed: 1, last },
      { id: globalId, url: null, state: 'ACTIVE', last: null },
    ];
    expect(await states(api)).toMatchObject(expected);
    const { webhooks } = sessionInfoSchema.parse((await api.call('GET', '/api/sessions/main')).json);
    expect(webhooks).toMatchObject(expected);
  });
});

describe('deliveries', () => {
  it('are listed by state, page by page', async () => {
    const { api } = await setUp();
    const [row] = (await api.webhooks.list('main')).filter(({ endpointId }) => endpointId === hook);
    if (row === undefined) throw new Error('no endpoint');
    const common = { eventId: 'evt_1', event: 'message', loggedAt: 1, attempts: 2, giveUpAt: 9, dueAt: 7, ttl: 1 };
    await api.webhooks.setAside(row, [
      { ...common, seq: 1, state: 'RETRYING' },
      { ...common, seq: 2, state: 'FAILED', chatId: '1@c.us' },
      { ...common, seq: 3, state: 'FAILED' },
    ]);
    const list = async (query: string) =>
      z
        .array(webhookDeliverySchema)
        .parse((await api.call('GET', `/api/main/webhooks/deliveries?endpoint=${hook}${query}`)).json);
    expect(await list('')).toMatchObject([
      { seq: 1, nextTryAt: 7, chatId: null },
      { seq: 2, nextTryAt: null, chatId: '1@c.us' },
      { seq: 3 },
    ]);
    expect(await list('&state=FAILED&limit=1')).toMatchObject([{ seq: 2 }]);
    expect(await list('&state=FAILED&after=2')).toMatchObject([{ seq: 3 }]);
  });

  it.each([
    ['?endpoint=wh_00000000000000000000', 404],
    ['?endpoint=nonsense', 400],
    ['', 400],
  ])('of %s are refused with %i', async (query, status) => {
    const { api } = await setUp();
    expect((await api.call('GET', `/api/main/webhooks/deliveries${query}`)).status).toBe(status);
  });
});

describe('a replay', () => {
  const replay = (api: TestApi, body: object) => api.call('POST', '/api/main/webhooks/replay', { body });
  const waiting = async (api: TestApi, endpointId = hook) =>
    (await api.webhooks.retrying('main', endpointId)).map(({ eventId }) => eventId);

  it('takes events by their ids, as often as it is asked', async () => {
    const { api } = await setUp();
    await log(api, 1, 2, 3);
    for (let turn = 0; turn < 2; turn += 1) {
      const answer = await replay(api, { endpoint: hook, events: ['evt_3', 'evt_1'] });
      expect([answer.status, answer.json]).toEqual([201, { replayed: 2, after: null }]);
    }
    expect(await waiting(api)).toEqual(['evt_1', 'evt_3']);
    expect(api.wakes).toHaveLength(2);
  });

  it('takes those of a time range that the webhook asks for', async () => {
    const { api } = await setUp();
    await log(api, 1, 2, 10, 11);
    const now = Date.now();
    expect((await replay(api, { endpoint: hook, from: now - 60_000 })).json).toEqual({ replayed: 3, after: null });
    expect(await waiting(api)).toEqual(['evt_1', 'evt_2', 'evt_11']);
    await replay(api, { endpoint: other, from: 0, to: now + 60_000 });
    expect(await waiting(api, other)).toEqual(['evt_1', 'evt_2', 'evt_10', 'evt_11']);
    expect((await replay(api, { endpoint: hook, from: now + 60_000 })).json).toEqual({ replayed: 0, after: null });
    expect((await replay(api, { endpoint: hook, from: 0, to: 1 })).json).toEqual({ replayed: 0, after: null });
  });

  it('takes a thousand at a time', async () => {
    const { api } = await setUp();
    await log(api, ...Array.from({ length: 1_500 }, (_, index) => index * 10 + 1));
    const first = await replay(api, { endpoint: hook, from: 0 });
    expect(first.json).toEqual({ replayed: 1_000, after: 9_991 });
    expect((await replay(api, { endpoint: hook, from: 0, after: 9_991 })).json).toEqual({ replayed: 500, after: null });
    expect(await waiting(api)).toHaveLength(1_500);
  });

  describe('looks for as long as a request has time', () => {
    /** Each look at the log takes some seconds. */
    const slowly = async (seconds: number) => {
      let time = 0;
      const { api } = await setUp(undefined, {}, { clock: { now: Date.now, monotonic: () => time } });
      const { eventLog } = api;
      const [read, findSome] = [eventLog.read.bind(eventLog), eventLog.findSome.bind(eventLog)];
      const pass = () => {
        time += seconds * 1_000;
      };
      vi.spyOn(eventLog, 'read').mockImplementation((...given) => {
        pass();
        return read(...given);
      });
      vi.spyOn(eventLog, 'findSome').mockImplementation((...given) => {
        pass();
        return findSome(...given);
      });
      return api;
    };

    it('and says where to go on, though the webhook wants few of the events', async () => {
      const api = await slowly(8);
      await log(api, ...Array.from({ length: 900 }, (_, index) => (index + 1) * 10), 9_001);
      const first = await replay(api, { endpoint: hook, from: 0 });
      expect(first.json).toEqual({ replayed: 0, after: 4_000 });
      expect((await replay(api, { endpoint: hook, from: 0, after: 4_000 })).json).toEqual({
        replayed: 0,
        after: 8_000,
      });
      expect((await replay(api, { endpoint: hook, from: 0, after: 8_000 })).json).toEqual({ replayed: 1, after: null });
    });

    it('and names the first that is too far back', async () => {
      const api = await slowly(8);
      await log(api, ...Array.from({ length: 9 }, (_, index) => index + 1));
      expect((await replay(api, { endpoint: hook, events: ['evt_9', 'evt_4'] })).json).toMatchObject({ replayed: 2 });
      const tooFar = await replay(api, { endpoint: hook, events: ['evt_9', 'evt_2'] });
      expect([tooFar.status, tooFar.text]).toEqual([422, expect.stringContaining("'evt_2'")]);
    });
  });

  it('ends the pause of a webhook, and does not touch one that is disabled', async () => {
    const { api } = await setUp();
    await log(api, 1);
    const [row] = (await api.webhooks.list('main')).filter(({ endpointId }) => endpointId === hook);
    if (row === undefined) throw new Error('no endpoint');
    await api.webhooks.advance(row, { failures: 9, nextTryAt: 9e15 });
    await replay(api, { endpoint: hook, events: ['evt_1'] });
    expect((await states(api))[0]).toMatchObject({ state: 'ACTIVE', failures: 0 });
    await api.webhooks.advance(row, { disabled: { at: 1, reason: 'gone' } });
    expect((await replay(api, { endpoint: hook, events: ['evt_1'] })).status).toBe(409);
  });

  it.each<[object, number]>([
    [{ endpoint: hook }, 400],
    [{ endpoint: hook, events: [] }, 400],
    [{ endpoint: hook, events: ['evt_1'], from: 1 }, 400],
    [{ endpoint: hook, from: -1 }, 400],
    [{ endpoint: hook, events: ['evt_9'] }, 404],
    [{ endpoint: 'wh_00000000000000000000', events: ['evt_1'] }, 404],
  ])('of %o is refused with %i', async (body, status) => {
    const { api } = await setUp();
    await log(api, 1);
    const answer = await replay(api, body);
    expect(answer.status, answer.text).toBe(status);
    expect(await waiting(api)).toEqual([]);
  });

  it('is for keys that may change settings', async () => {
    const { api } = await setUp();
    const answer = await api.call('POST', '/api/main/webhooks/replay', {
      body: { endpoint: hook, from: 0 },
      key: { actions: ['read', 'send'] },
    });
    expect(answer.status).toBe(403);
  });
});
