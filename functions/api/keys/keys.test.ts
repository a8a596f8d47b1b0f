import { beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createAdministratorKey } from '#functions/administrator-key/administrator-key.ts';
import { createIdentifyKey } from '#functions/authorizer/identify-key.ts';
import { type ApiKeyView, apiKeySchema } from '#shared/contracts/api/keys.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { TestApi } from '../test-support/test-api.ts';

const key = { id: 'key_test', isAdmin: true };
const ARN = 'arn:aws:iam::123456789012:role/Support';
const DAY = 24 * 60 * 60 * 1000;
const NOTHING = { read: false, send: false, control: false, setting: false, app: false, delete: false, media: false };

let api: TestApi;
let now: number;
beforeEach(() => {
  now = 1_800_000_000_000;
  api = new TestApi({ ownerWaitMs: 0 }, { clock: { now: () => now, monotonic: () => now } });
});

const call = (method: string, url: string, body?: object) =>
  api.call(method, url, { key, ...(body === undefined ? {} : { body }) });
const made = async (body: object = {}, url = '/api/keys'): Promise<ApiKeyView> => {
  const answer = await call('POST', url, body);
  expect(answer.status, answer.text).toBe(201);
  return apiKeySchema.parse(answer.json);
};
const listed = async (query = '') => z.array(apiKeySchema).parse((await call('GET', `/api/keys${query}`)).json);
/** Whether the authorizer would let the key in. */
const works = async (text: string) =>
  (await createIdentifyKey({ ...api.deps, readPepper: async () => api.pepper })(text)) !== undefined;

describe('making a key', () => {
  it('shows it once, and keeps nothing that it could be read from', async () => {
    const view = await made({ isAdmin: false, session: null, isActive: true, actions: null });
    expect(view.key).toMatch(/^trunkline_[a-z0-9]{26}_[A-Za-z0-9]{49}$/);
    expect(view).toMatchObject({ isActive: true, isAdmin: false, session: null, name: null, expiresAt: null });
    expect(view.actions).toEqual({
      ...NOTHING,
      read: true,
      send: true,
      control: true,
      setting: true,
      app: true,
      media: true,
    });
    expect(await works(view.key)).toBe(true);
    const secret = view.key.slice(-49);
    expect(
      JSON.stringify([await api.keys.list(), await api.audit.list({ from: 0, to: now, limit: 10 })]),
    ).not.toContain(secret);
    expect(JSON.stringify(api.logged)).not.toContain(secret);
    const [shown] = await listed();
    expect(shown).toEqual({ ...view, key: expect.stringMatching(/^trunkline_[a-z0-9]{26}_\*\*\*$/) });
  });

  it('grants what is named and no more', async () => {
    const view = await made({
      actions: { read: true, send: false },
      name: 'reader',
      plan: 'partner',
      expiresAt: now + DAY,
    });
    expect(view.actions).toEqual({ ...NOTHING, read: true, media: true });
    expect(view).toMatchObject({ name: 'reader', plan: 'partner', expiresAt: now + DAY });
    now += DAY;
    expect(await works(view.key)).toBe(false);
  });

  it.each([
    [{ expiresAt: 1 }, 'expiresAt'],
    [{ isAdmin: true, session: 'main' }, 'session'],
    [{ session: 'a b' }, 'session'],
    [{ actions: { read: 'yes' } }, 'actions.read'],
    [{ principal: 'ada' }, 'principal'],
    [{ plan: 'No Plan' }, 'plan'],
  ])('refuses %j', async (body, path) => {
    await api.session('main');
    const answer = await call('POST', '/api/keys', body);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ issues: [{ path }] });
    expect(await api.keys.list()).toEqual([]);
  });

  it.each([
    ['/api/keys', { acitons: { read: true } }, 'acitons', 'actions'],
    ['/api/keys', { sesion: 'main' }, 'sesion', 'session'],
    ['/api/keys', { isactive: false }, 'isactive', 'isActive'],
    ['/api/keys', { principle: ARN }, 'principle', 'principal'],
    ['/api/keys', { actions: { raed: true } }, 'actions.raed', 'read'],
    ['/api/keys', { somethingElse: 1 }, 'somethingElse', 'name'],
    ['/api/keys/media', { session: 'main', isActive: false }, 'isActive', 'session'],
    ['/api/keys/control', { session: 'main', x: 1 }, 'x', 'session'],
  ])('at %s refuses %j: a misspelt field would make a wider key', async (url, body, path, known) => {
    await api.session('main');
    const answer = await call('POST', url, body);
    expect(answer.status).toBe(400);
    const message = expect.stringMatching(new RegExp(`is not a field of this, which may have: .*\\b${known}\\b`));
    expect(answer.json).toMatchObject({ issues: [{ path, message }] });
    expect(await api.keys.list()).toEqual([]);
  });

  it('names each unknown field of several', async () => {
    const answer = await call('POST', '/api/keys', { acitons: {}, sesion: 'main' });
    expect(answer.json).toMatchObject({ issues: [{ path: 'acitons' }, { path: 'sesion' }] });
  });

  it('names fifty of any number, and no more of a name than its beginning', async () => {
    const body = Object.fromEntries(
      Array.from({ length: 1_000 }, (_none, index) => [`${index}${'x'.repeat(1_000)}`, 1]),
    );
    const answer = await call('POST', '/api/keys', body);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ issues: { length: 50 } });
    expect(answer.text.length).toBeLessThan(20_000);
  });

  it('takes the bodies of WAHA’s clients', async () => {
    await api.session('main');
    const actions = Object.fromEntries(Object.keys(NOTHING).map((name) => [name, true]));
    const { id } = await made({ isAdmin: false, session: 'main', isActive: true, actions });
    const body = { isAdmin: false, session: null, isActive: true, actions: null };
    expect((await call('PUT', `/api/keys/${id}`, body)).status).toBe(200);
  });

  it('for a session needs that session', async () => {
    expect((await call('POST', '/api/keys', { session: 'nobody' })).status).toBe(404);
    await api.session('main');
    const view = await made({ session: 'main' });
    expect(view.session).toBe('main');
    expect(await works(view.key)).toBe(true);
  });
});

describe('changing a key', () => {
  it('changes what is given and leaves the rest', async () => {
    await api.session('main');
    const { id, key: text } = await made({ session: 'main', actions: { read: true }, name: 'a', expiresAt: now + DAY });
    const answer = await call('PUT', `/api/keys/${id}`, { isActive: false });
    expect(answer.json).toMatchObject({ id, session: 'main', name: 'a', isActive: false, expiresAt: now + DAY });
    expect(apiKeySchema.parse(answer.json).actions).toEqual({ ...NOTHING, read: true, media: true });
    expect(await works(text)).toBe(false);
    const again = await call('PUT', `/api/keys/${id}`, { isActive: true, session: null, name: null, expiresAt: null });
    expect(again.json).toMatchObject({ session: null, name: null, isActive: true, expiresAt: null });
    expect(await works(text)).toBe(true);
  });

  it('changes nothing when a field is misspelt', async () => {
    const { id } = await made();
    expect((await call('PUT', `/api/keys/${id}`, { isActive: true, expiersAt: now + 1 })).status).toBe(400);
    expect((await call('POST', `/api/keys/${id}/rotate`, { overlapseconds: 0 })).status).toBe(400);
    expect(await api.keys.get(id)).toMatchObject({ version: 1 });
  });

  it('of an unknown one is 404', async () => {
    const url = `/api/keys/key_id_${'0'.repeat(26)}`;
    expect((await call('PUT', url, {})).status).toBe(404);
    expect((await call('DELETE', url)).status).toBe(404);
    expect((await call('POST', `${url}/rotate`, {})).status).toBe(404);
  });

  it('loses no other change that comes between', async () => {
    const { id } = await made();
    const replace = api.keys.replace.bind(api.keys);
    let raced = false;
    api.keys.replace = async (row) => {
      const current = await api.keys.get(id);
      if (!raced && current !== undefined) await replace({ ...current, name: 'theirs' });
      raced = true;
      return await replace(row);
    };
    await call('PUT', `/api/keys/${id}`, { isActive: false });
    expect(await api.keys.get(id)).toMatchObject({ name: 'theirs', isActive: false, version: 3 });
  });
});

describe('deleting a key', () => {
  it('ends it at once', async () => {
    const { id, key: text } = await made();
    expect((await call('DELETE', `/api/keys/${id}`)).status).toBe(200);
    expect(await works(text)).toBe(false);
    expect(await listed()).toEqual([]);
    expect((await call('DELETE', `/api/keys/${id}`)).status).toBe(404);
  });

  it('is done also when the answer of the write was lost', async () => {
    const { id } = await made();
    const remove = api.keys.remove.bind(api.keys);
    api.keys.remove = async (...args) => {
      await remove(...args);
      return await remove(...args);
    };
    expect((await call('DELETE', `/api/keys/${id}`)).status).toBe(200);
    expect(await listed()).toEqual([]);
  });

  it('of one that came from outside leaves its row: it is not shown, and not let in again', async () => {
    await made({ isAdmin: true });
    const text = 'the-key-of-the-administrator';
    const letIn = createAdministratorKey({ ...api.deps, readKey: async () => text });
    await letIn();
    expect(await works(text)).toBe(true);
    const url = `/api/keys/${api.pepper.idOf(text)}`;
    expect((await call('DELETE', url)).status).toBe(200);
    await letIn();
    expect(await works(text)).toBe(false);
    expect(await listed()).toHaveLength(1);
    expect((await call('PUT', url, { isActive: true })).status).toBe(404);
  });
});

describe('the last key of an administrator', () => {
  it('cannot be taken away', async () => {
    const { id } = await made({ isAdmin: true });
    await made({ isAdmin: true, expiresAt: now + DAY });
    await made({ isAdmin: true, isActive: false });
    await made({ isAdmin: true, principal: 'arn:aws:iam::123456789012:role/Admin' });
    const url = `/api/keys/${id}`;
    const answers = [
      await call('DELETE', url),
      await call('PUT', url, { isActive: false }),
      await call('PUT', url, { isAdmin: false }),
      await call('PUT', url, { expiresAt: now + DAY }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([409, 409, 409, 409]);
    expect(await api.keys.get(id)).toMatchObject({ version: 1 });
    expect((await call('PUT', url, { name: 'the last' })).status).toBe(200);
    expect((await call('POST', `${url}/rotate`, {})).status).toBe(201);
    await made({ isAdmin: true });
    expect((await call('DELETE', url)).status).toBe(200);
  });
});

describe('rotating a key', () => {
  it('gives a new one at once, and lets the old one work until its time is over', async () => {
    await api.session('main');
    const before = await made({ session: 'main', actions: { send: true }, name: 'n' });
    const after = await made({ overlapSeconds: 60 }, `/api/keys/${before.id}/rotate`);
    expect(after).toEqual({ ...before, key: after.key, previousKeyUntil: now + 60_000 });
    expect(after.key).not.toBe(before.key);
    expect([await works(before.key), await works(after.key)]).toEqual([true, true]);
    now += 60_000;
    expect([await works(before.key), await works(after.key)]).toEqual([false, true]);
  });

  it('overlaps by a day unless told otherwise, or not at all', async () => {
    const { id, key: first } = await made();
    expect((await made({}, `/api/keys/${id}/rotate`)).previousKeyUntil).toBe(now + DAY);
    const third = await made({ overlapSeconds: 0 }, `/api/keys/${id}/rotate`);
    expect(third.previousKeyUntil).toBeNull();
    expect([await works(first), await works(third.key)]).toEqual([false, true]);
  });

  it('keeps the key before when the answer of the write was lost', async () => {
    const before = await made();
    const replace = api.keys.replace.bind(api.keys);
    api.keys.replace = async (row) => {
      await replace(row);
      api.keys.replace = replace;
      return await replace(row);
    };
    const after = await made({ overlapSeconds: 60 }, `/api/keys/${before.id}/rotate`);
    expect([await works(before.key), await works(after.key)]).toEqual([true, true]);
  });

  it('of one that has expired is refused until it has another end: the new one would be dead already', async () => {
    const { id } = await made({ expiresAt: now + DAY });
    now += DAY;
    const refused = await call('POST', `/api/keys/${id}/rotate`, {});
    expect(refused.status).toBe(409);
    expect(refused.text).toContain('expiresAt');
    expect(await api.keys.get(id)).toMatchObject({ version: 1 });
    expect((await call('PUT', `/api/keys/${id}`, { expiresAt: now + DAY })).status).toBe(200);
    expect(await works((await made({}, `/api/keys/${id}/rotate`)).key)).toBe(true);
  });

  it('of one whose session was deleted is refused', async () => {
    const { incarnation } = await api.session('main');
    const { id } = await made({ session: 'main' });
    await api.sessions.intend('main', incarnation, { desired: 'DELETED' });
    expect((await call('POST', `/api/keys/${id}/rotate`, {})).status).toBe(409);
  });

  it('that is switched off gives one that is switched off as well', async () => {
    const { id } = await made({ isActive: false });
    expect(await made({}, `/api/keys/${id}/rotate`)).toMatchObject({ isActive: false });
  });

  it('is not for IAM principals, which have none', async () => {
    const { id } = await made({ principal: 'arn:aws:iam::123456789012:role/Support' });
    expect((await call('POST', `/api/keys/${id}/rotate`, {})).status).toBe(409);
  });
});

describe.each([
  ['media', '/api/keys/media'],
  ['control', '/api/keys/control'],
])('the key of a session for %s', (action, url) => {
  beforeEach(async () => {
    await api.session('main');
  });

  it('is made once and told as often as it is asked for', async () => {
    const first = await made({ session: 'main' }, url);
    expect(first).toMatchObject({ isAdmin: false, isActive: true, session: 'main' });
    expect(first.actions).toEqual({ ...NOTHING, [action]: true });
    expect(await works(first.key)).toBe(true);
    expect(await made({ session: 'main' }, url)).toEqual(first);
    const both = await Promise.all([made({ session: 'main' }, url), made({ session: 'main' }, url)]);
    expect(new Set(both.map((one) => one.key))).toEqual(new Set([first.key]));
    expect(JSON.stringify([await api.keys.list(), await listed()])).not.toContain(first.key);
  });

  it('is the same for two that ask at the same moment', async () => {
    const both = await Promise.all([made({ session: 'main' }, url), made({ session: 'main' }, url)]);
    expect(both[0]?.key).toBe(both[1]?.key);
    expect(await listed()).toHaveLength(1);
  });

  it('is another after a rotation, and after it was deleted', async () => {
    const first = await made({ session: 'main' }, url);
    const rotated = await made({ overlapSeconds: 60 }, `/api/keys/${first.id}/rotate`);
    expect([await works(first.key), await works(rotated.key)]).toEqual([true, true]);
    expect((await made({ session: 'main' }, url)).key).toBe(rotated.key);
    await call('DELETE', `/api/keys/${first.id}`);
    const third = await made({ session: 'main' }, url);
    expect(new Set([first.key, rotated.key, third.key]).size).toBe(3);
    expect([await works(first.key), await works(rotated.key), await works(third.key)]).toEqual([false, false, true]);
  });

  it('can be switched off, but not be made to do something else', async () => {
    const { id, key: text, actions } = await made({ session: 'main' }, url);
    for (const body of [{ isAdmin: true, session: null }, { session: null }, { actions: { send: true } }]) {
      expect((await call('PUT', `/api/keys/${id}`, body)).status).toBe(409);
    }
    const off = await call('PUT', `/api/keys/${id}`, { isAdmin: false, session: 'main', isActive: false, actions });
    expect(off.status).toBe(200);
    expect(await works(text)).toBe(false);
    expect(await made({ session: 'main' }, url)).toMatchObject({ id, isActive: false });
  });

  it('needs the session', async () => {
    expect((await call('POST', url, { session: 'nobody' })).status).toBe(404);
  });
});

describe('a session that is deleted', () => {
  it('takes its keys along, and a later one of its name is not reached with them', async () => {
    const session = await api.session('main');
    const own = await made({ session: 'main' });
    const scoped = await made({ session: 'main' }, '/api/keys/media');
    const all = await made({});
    await api.session('beta');
    const others = await made({ session: 'beta' });
    await call('DELETE', '/api/sessions/main');
    expect(await works(own.key)).toBe(false);
    expect((await listed()).map(({ id }) => id).sort()).toEqual([all.id, others.id].sort());
    await api.sessions.remove('main', session.incarnation, 1);
    await api.session('main');
    expect([await works(own.key), await works(scoped.key), await works(all.key)]).toEqual([false, false, true]);
    expect((await made({ session: 'main' }, '/api/keys/media')).key).not.toBe(scoped.key);
  });

  it('is deleted also when its keys cannot be removed, and they are of no use', async () => {
    const session = await api.session('main');
    const own = await made({ session: 'main' });
    api.keys.listBySession = async () => {
      throw new DependencyError('no index');
    };
    expect((await call('DELETE', '/api/sessions/main')).status).toBe(200);
    await api.sessions.remove('main', session.incarnation, 1);
    await api.session('main');
    expect(await works(own.key)).toBe(false);
  });
});

describe('the list', () => {
  it('has the oldest first, in pages, and by session', async () => {
    await api.session('main');
    const all = [];
    for (const body of [{}, { session: 'main' }, {}, { session: 'main' }]) {
      all.push((await made(body)).id);
      now += 1;
    }
    expect((await listed()).map(({ id }) => id)).toEqual(all);
    expect((await listed('?limit=2&offset=1')).map(({ id }) => id)).toEqual(all.slice(1, 3));
    expect((await listed('?session=main')).map(({ id }) => id)).toEqual([all[1], all[3]]);
  });
});
