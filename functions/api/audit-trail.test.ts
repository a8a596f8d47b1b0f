import { beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { OPERATIONS } from '#shared/contracts/api/index.ts';
import { auditEntrySchema } from '#shared/contracts/audit.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { TestApi } from './test-support/test-api.ts';

const answerSchema = z.object({ entries: z.array(auditEntrySchema), next: z.string().nullable() });
const key = { id: 'key_of_the_admin', isAdmin: true };

let api: TestApi;
let now: number;
beforeEach(() => {
  now = Date.UTC(2026, 10, 26);
  api = new TestApi({ ownerWaitMs: 0 }, { clock: { now: () => now, monotonic: () => now } });
});
const call = (method: string, url: string, body?: object) =>
  api.call(method, url, { key, ...(body === undefined ? {} : { body }) });
const audit = async (query = '') => answerSchema.parse((await call('GET', `/api/audit${query}`)).json);

describe('the audit log', () => {
  it('tells who changed what, from where, and not a word of content', async () => {
    const config = { webhooks: [{ url: 'https://canary.test/secret', events: ['message'] }] };
    await call('POST', '/api/sessions', { name: 'main', config });
    now += 1;
    await call('POST', '/api/sessions', {});
    now += 1;
    const { id } = (await call('POST', '/api/keys', { session: 'main', name: 'canary' })).json as { id: string };
    now += 1;
    await call('DELETE', `/api/keys/${id}`);
    const { entries } = await audit();
    expect(entries).toMatchObject([
      { operation: 'deleteKey', keyId: id, session: null, fields: [], outcome: 'done' },
      { operation: 'createKey', keyId: id, session: 'main', fields: ['session', 'name'], outcome: 'done' },
      { operation: 'createSession', keyId: null, session: expect.stringMatching(/^session_/), fields: [] },
      { operation: 'createSession', keyId: null, session: 'main', fields: ['name', 'config'], at: now - 3 },
    ]);
    for (const entry of entries) {
      expect(entry).toMatchObject({
        actor: { keyId: 'key_of_the_admin', principal: null, system: null },
        requestId: 'request-1',
        sourceAddress: '192.0.2.7',
      });
    }
    expect(JSON.stringify(entries)).not.toMatch(/canary/);
  });

  it('has an entry for every operation that changes a key, a session, its linking or its webhooks, and for no other', () => {
    const groups = ['sessions', 'keys', 'pairing', 'webhooks'];
    const changing = OPERATIONS.filter(({ group, method }) => method !== 'GET' && groups.includes(group));
    expect(OPERATIONS.filter(({ audited }) => audited).map(({ id }) => id)).toEqual(changing.map(({ id }) => id));
    expect(changing.map(({ id }) => id)).toEqual(expect.arrayContaining(['requestCode', 'replayWebhook']));
  });

  it('tells who has asked for a pairing code and for a replay, but not the number', async () => {
    await api.session('main');
    await call('POST', '/api/main/auth/request-code', { phoneNumber: '4915112345678' });
    now += 1;
    await call('POST', '/api/main/webhooks/replay', { endpoint: `wh_${'0'.repeat(20)}`, from: 0 });
    const { entries } = await audit();
    expect(entries.slice(0, 2)).toMatchObject([
      { operation: 'replayWebhook', session: 'main', fields: ['endpoint', 'from'], outcome: 'not-found' },
      { operation: 'requestCode', session: 'main', fields: ['phoneNumber'], outcome: 'wrong-state' },
    ]);
    expect(JSON.stringify(entries)).not.toContain('4915112345678');
  });

  it('says what was refused, and by which rule', async () => {
    await call('POST', '/api/sessions/nobody/stop');
    await api.call('POST', '/api/sessions/nobody/stop', { key: { actions: ['read'] } });
    expect((await audit()).entries).toMatchObject([
      { operation: 'stopSession', session: 'nobody', outcome: 'not-found' },
    ]);
  });

  it('comes first: what cannot be written down is not done', async () => {
    await api.session('main');
    api.audit.write = async () => {
      throw new DependencyError('no table');
    };
    expect((await call('DELETE', '/api/sessions/main')).status).toBe(503);
    expect((await call('POST', '/api/keys', {})).status).toBe(503);
    expect(await api.sessions.get('main')).toMatchObject({ desired: 'RUNNING' });
    expect(await api.keys.list()).toEqual([]);
  });

  it('keeps the entry of what broke off, or whose end could not be written', async () => {
    await api.session('main');
    const write = api.audit.write.bind(api.audit);
    api.audit.write = async (entry) => {
      if (entry.outcome !== null) throw new DependencyError('no table');
      await write(entry);
    };
    now += 1;
    expect((await call('POST', '/api/keys', {})).status).toBe(201);
    api.audit.write = write;
    api.sessions.intend = async () => {
      throw new Error('broke off');
    };
    now += 1;
    expect((await call('POST', '/api/sessions/main/restart')).status).toBe(500);
    expect((await audit()).entries.slice(0, 2)).toMatchObject([
      { operation: 'restartSession', session: 'main', outcome: null },
      { operation: 'createKey', outcome: null },
    ]);
  });

  it('is read in pages, by session and by time', async () => {
    for (const name of ['one', 'two', 'one', 'one']) {
      await call('POST', `/api/sessions/${name}/start`);
      now += 1_000;
    }
    const first = await audit('?session=one&limit=2');
    expect(first.entries).toHaveLength(2);
    const second = await audit(`?session=one&limit=2&next=${first.next}`);
    expect(second.entries).toHaveLength(1);
    expect(new Set([...first.entries, ...second.entries].map(({ id }) => id)).size).toBe(3);
    const at = now - 3_000;
    expect((await audit(`?from=${at}&to=${at}`)).entries).toMatchObject([{ session: 'two' }]);
    expect((await call('GET', '/api/audit?next=x')).status).toBe(400);
  });

  it('is for administrators', async () => {
    expect((await api.call('GET', '/api/audit')).status).toBe(403);
  });
});
