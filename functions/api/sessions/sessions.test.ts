import { describe, expect, it, vi } from 'vitest';
import { DependencyError } from '#shared/domain/errors.ts';
import { TestApi } from '../test-support/test-api.ts';

describe('creating sessions', () => {
  it('makes up a name, and starts unless told otherwise', async () => {
    const api = new TestApi();
    expect((await api.call('POST', '/api/sessions', { body: {} })).json).toMatchObject({
      name: expect.stringMatching(/^session_[0-9a-z]{26}$/),
      status: 'STARTING',
    });
    const stopped = await api.call('POST', '/api/sessions', { body: { name: 'idle', start: false } });
    expect(stopped.json).toMatchObject({ name: 'idle', status: 'STOPPED' });
    expect(await api.sessions.get('idle')).toMatchObject({ desired: 'STOPPED', epoch: 0 });
  });

  it('refuses a name that is taken, with 422', async () => {
    const api = new TestApi();
    await api.call('POST', '/api/sessions', { body: { name: 'main' } });
    const again = await api.call('POST', '/api/sessions', { body: { name: 'main' } });
    expect(again.status).toBe(422);
    expect(again.json).toEqual({
      statusCode: 422,
      message: "Session 'main' already exists. Use PUT to update it.",
      error: 'Unprocessable Entity',
      code: 'conflict',
    });
  });

  it('takes pacing rules, and says what is wrong with them', async () => {
    const api = new TestApi();
    const pacing = { profile: 'warm', timezone: 'Europe/Berlin', quietHours: { from: '21:00', to: '07:30' } };
    const answer = await api.call('POST', '/api/sessions', { body: { name: 'main', config: { pacing } } });
    expect(answer.json).toMatchObject({ config: { pacing }, nextSendAt: null });
    const wrong: readonly [object, string, string][] = [
      [{ profile: 'fast' }, 'profile', 'must be one of "safe", "warm", "trusted", "off"'],
      [{ timezone: 'Mars/Base' }, 'timezone', 'must be an IANA time zone'],
      [{ quietHours: { from: '21:00', to: '07:30' } }, 'timezone', 'is needed for quietHours'],
      [{ timezone: 'UTC', quietHours: { from: '24:00', to: '07:30' } }, 'quietHours.from', 'must be a time as HH:MM'],
      [{ overrides: { gap: { min: 5, max: 2 } } }, 'overrides.gap.min', 'min must not be greater than max'],
      [{ overrides: { perHour: 0 } }, 'overrides.perHour', 'must be at least 1'],
    ];
    for (const [value, path, message] of wrong) {
      const refused = await api.call('PUT', '/api/sessions/main', { body: { config: { pacing: value } } });
      expect(refused.status).toBe(400);
      const issue = { path: `config.pacing.${path}`, message: expect.stringContaining(message) };
      expect(refused.json).toMatchObject({ issues: [issue] });
    }
  });

  it('refuses a proxy rather than connect without it', async () => {
    const api = new TestApi();
    const config = { proxy: { server: 'proxy.example:3128' } };
    for (const path of ['/api/sessions', '/api/sessions/start']) {
      const refused = await api.call('POST', path, { body: { name: 'main', config } });
      expect(refused.status).toBe(422);
      expect(refused.json).toMatchObject({ code: 'not-supported', message: expect.stringContaining('config.proxy') });
    }
    expect(await api.sessions.get('main')).toBeUndefined();
    await api.call('POST', '/api/sessions', { body: { name: 'main', config: { proxy: null } } });
    expect((await api.call('PUT', '/api/sessions/main', { body: { config } })).status).toBe(422);
    expect((await api.sessions.get('main'))?.config).toEqual({ proxy: null });
  });

  it('refuses a configuration that is too large for its row, before anything is written', async () => {
    const api = new TestApi();
    await api.session('main');
    const before = [await api.sessions.list(), api.queued.length];
    const webhooks = [{ url: 'https://receiver.example/', events: ['*'] }];
    const around = JSON.stringify({ metadata: { note: '' }, webhooks }).length;
    const configOf = (bytes: number) => ({
      metadata: { note: `${'é'.repeat(5)}${'x'.repeat(bytes - 10 - around)}` },
      webhooks,
    });
    const body = { name: 'main', config: configOf(65_537) };
    for (const [method, path, sent] of [
      ['POST', '/api/sessions', { ...body, name: 'new' }],
      ['POST', '/api/sessions/start', { ...body, name: 'new' }],
      ['POST', '/api/sessions/start', body],
      ['PUT', '/api/sessions/main', body],
    ] as const) {
      const refused = await api.call(method, path, { body: sent });
      expect(refused.status).toBe(400);
      expect(refused.json).toMatchObject({ issues: [{ path: 'config', message: 'must have 64 KiB of JSON at most' }] });
    }
    expect([await api.sessions.list(), api.queued.length]).toEqual(before);
    expect([...(await api.webhooks.list('main')), ...(await api.webhooks.list('new'))]).toEqual([]);
    const most = await api.call('PUT', '/api/sessions/main', { body: { config: configOf(65_536) } });
    expect(most.json).toMatchObject({ config: configOf(65_536) });
  });

  it('spreads sessions over the shards', async () => {
    const api = new TestApi();
    for (const name of ['a', 'b', 'c', 'd']) await api.call('POST', '/api/sessions', { body: { name } });
    const shards = (await api.sessions.list()).map((row) => row.shard).sort();
    expect(shards).toEqual(['socket-00', 'socket-00', 'socket-01', 'socket-01']);
  });

  it('leaves nothing behind when the host cannot be told', async () => {
    const api = new TestApi();
    api.onQueued = async () => {
      throw new DependencyError('SQS SendMessage on queue-7 failed');
    };
    const answer = await api.call('POST', '/api/sessions', { body: { name: 'main' } });
    expect(answer.status).toBe(503);
    expect(answer.json).toEqual({
      statusCode: 503,
      message: 'A service Trunkline depends on did not answer; try again',
      error: 'Service Unavailable',
      code: 'dependency',
    });
    const logged = api.logged.flat().map((part) => (part instanceof Object && 'err' in part ? String(part.err) : ''));
    expect(logged.join()).toContain('SendMessage on queue-7');
    expect(await api.sessions.get('main')).toBeUndefined();
  });

  it('leaves nothing behind when a host has seen it before that fails', async () => {
    const api = new TestApi();
    api.onQueued = async ({ session }) => {
      const { incarnation } = (await api.sessions.get(session)) ?? expect.unreachable();
      await api.sessions.report(session, incarnation, 3, { status: 'SCAN_QR_CODE' });
      throw new DependencyError('SQS SendMessage failed');
    };
    const answer = await api.call('POST', '/api/sessions', { body: { name: 'main' } });
    expect([answer.status, answer.json]).toMatchObject([503, { code: 'dependency' }]);
    expect(await api.sessions.get('main')).toMatchObject({ desired: 'DELETED' });
    expect((await api.call('GET', '/api/sessions/main')).status).toBe(404);
  });

  it('tells why it failed also when it cannot clean up', async () => {
    const api = new TestApi();
    api.onQueued = () => Promise.reject(new DependencyError('SQS SendMessage failed'));
    api.sessions.remove = () => Promise.reject(new Error('no table'));
    const answer = await api.call('POST', '/api/sessions', { body: { name: 'main' } });
    expect(answer.status).toBe(503);
    expect(JSON.stringify(api.logged)).toContain('could not take a new session back');
  });

  it('waits for an earlier session of the same name to be removed, then takes its place', async () => {
    const api = new TestApi({ ownerWaitMs: 5_000 });
    const row = await api.session('main');
    await api.sessions.intend('main', row.incarnation, { desired: 'DELETED' });
    const creating = api.call('POST', '/api/sessions', { body: { name: 'main' } });
    await api.sessions.remove('main', row.incarnation, 1);
    expect((await creating).status).toBe(201);
    expect((await api.sessions.get('main'))?.incarnation).not.toBe(row.incarnation);
  });

  it('says so when an earlier session does not go away', async () => {
    const api = new TestApi({ ownerWaitMs: 20 });
    const row = await api.session('main');
    await api.sessions.intend('main', row.incarnation, { desired: 'DELETED' });
    const answer = await api.call('POST', '/api/sessions', { body: { name: 'main' } });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain('still being removed');
  });
});

describe('what signs webhooks', () => {
  const webhook = {
    url: 'https://receiver.example/',
    events: ['*'],
    hmac: { key: 'canary-key' },
    secrets: [`whsec_${Buffer.alloc(32, 1).toString('base64')}`],
    customHeaders: [{ name: 'authorization', value: 'canary-token' }],
  };

  it('is shown to whoever may change it, and to nobody else', async () => {
    const api = new TestApi({ ownerWaitMs: 0, stateWaitMs: 0 });
    const created = await api.call('POST', '/api/sessions', {
      body: { name: 'main', config: { webhooks: [webhook] } },
    });
    expect(created.json).toMatchObject({ config: { webhooks: [webhook] } });
    for (const url of ['/api/sessions/main', '/api/sessions?all=true']) {
      const { text } = await api.call('GET', url, { key: { actions: ['read'] } });
      expect(text).toContain('https://receiver.example/');
      expect(text).not.toMatch(/canary|whsec_/);
    }
    const { text } = await api.call('POST', '/api/sessions/main/stop', { key: { actions: ['control'] } });
    expect(text).not.toMatch(/canary|whsec_/);
    for (const key of [{ actions: ['read', 'setting'] as const }, { isAdmin: true, actions: [] }]) {
      expect(
        (await api.call('GET', '/api/sessions/main', { key: { ...key, actions: [...key.actions] } })).json,
      ).toMatchObject({
        config: { webhooks: [webhook] },
      });
    }
  });
});

describe('changing sessions', () => {
  it('stops: waits until the host has reported it', async () => {
    const api = new TestApi({ ownerWaitMs: 5_000 });
    const row = await api.session('main');
    const { get } = api.sessions;
    // The host reports it when the API has looked once, and in vain.
    api.onQueued = async () => {
      vi.spyOn(api.sessions, 'get').mockImplementationOnce(async (name) => {
        const seen = await get.call(api.sessions, name);
        await api.sessions.report('main', row.incarnation, 1, { status: 'STOPPED' });
        return seen;
      });
    };
    const answer = await api.call('POST', '/api/sessions/main/stop');
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({ status: 'STOPPED' });
  });

  it('stops: tells what is true when the host does not answer', async () => {
    const api = new TestApi({ ownerWaitMs: 15 });
    await api.session('main');
    const answer = await api.call('POST', '/api/sessions/main/stop');
    expect(answer.json).toMatchObject({ status: 'WORKING' });
    expect(await api.sessions.get('main')).toMatchObject({ desired: 'STOPPED' });
  });

  it('starts what is stopped, leaves alone what runs, restarts what has failed', async () => {
    const api = new TestApi();
    await api.call('POST', '/api/sessions', { body: { name: 'main', start: false } });
    expect((await api.call('POST', '/api/sessions/main/start')).json).toMatchObject({ status: 'STARTING' });
    const row = await api.sessions.get('main');
    if (row === undefined) throw new Error('no row');
    expect(row.restartToken).toBeUndefined();

    await api.sessions.report('main', row.incarnation, 1, { status: 'WORKING' });
    expect((await api.call('POST', '/api/sessions/main/start')).json).toMatchObject({ status: 'WORKING' });
    expect((await api.sessions.get('main'))?.restartToken).toBeUndefined();

    await api.sessions.report('main', row.incarnation, 1, { status: 'FAILED' });
    expect((await api.call('POST', '/api/sessions/main/start')).json).toMatchObject({ status: 'STARTING' });
    expect((await api.sessions.get('main'))?.restartToken).toBeDefined();
  });

  it('starts what has failed and was not stopped yet', async () => {
    const api = new TestApi({ ownerWaitMs: 0 });
    await api.session('main', { status: 'FAILED' });
    await api.call('POST', '/api/sessions/main/stop');
    expect((await api.call('POST', '/api/sessions/main/start')).json).toMatchObject({ status: 'STARTING' });
    expect(await api.sessions.get('main')).toMatchObject({ desired: 'RUNNING', restartToken: expect.any(String) });
  });

  it('restarts, logs out and updates at once, each with a token of its own', async () => {
    const api = new TestApi();
    await api.session('main');
    expect((await api.call('POST', '/api/sessions/main/restart')).json).toMatchObject({ status: 'STARTING' });
    const restarted = await api.sessions.get('main');
    expect((await api.call('POST', '/api/sessions/main/logout')).json).toMatchObject({ status: 'STARTING' });
    expect((await api.sessions.get('main'))?.logoutToken).toBeDefined();

    const config = { metadata: { 'user.id': '1' }, unknown: 1 };
    const updated = await api.call('PUT', '/api/sessions/main', { body: { config } });
    expect(updated.status).toBe(200);
    expect(updated.json).toMatchObject({ config: { metadata: { 'user.id': '1' } } });
    const row = await api.sessions.get('main');
    expect(row?.config).toEqual({ metadata: { 'user.id': '1' } });
    expect(row?.restartToken).not.toBe(restarted?.restartToken);
    expect(api.queued.filter((entry) => entry.message.kind === 'session-changed')).toHaveLength(4);
    expect(new Set(api.queued.map((entry) => entry.deduplicationId)).size).toBe(api.queued.length);
  });

  it('deletes: hides the session at once, and does not mind if it is unknown', async () => {
    const api = new TestApi({ ownerWaitMs: 15 });
    await api.session('main');
    expect((await api.call('DELETE', '/api/sessions/main')).status).toBe(200);
    expect(await api.sessions.get('main')).toMatchObject({ desired: 'DELETED' });
    expect((await api.call('GET', '/api/sessions/main')).status).toBe(404);
    expect((await api.call('GET', '/api/sessions?all=true')).json).toEqual([]);
    expect((await api.call('DELETE', '/api/sessions/other')).status).toBe(200);
  });

  it('serves the calls of old clients', async () => {
    const api = new TestApi({ ownerWaitMs: 15 });
    const started = await api.call('POST', '/api/sessions/start', { body: { name: 'main' } });
    expect(started.status).toBe(201);
    expect(started.json).toMatchObject({ name: 'main', status: 'STARTING' });
    expect((await api.call('POST', '/api/sessions/stop', { body: { name: 'main', logout: true } })).status).toBe(201);
    expect(await api.sessions.get('main')).toMatchObject({ desired: 'STOPPED', logoutToken: expect.any(String) });
    // One wish: the host never sees a session that is to stop, and only later that it is to be unlinked.
    expect(api.queued).toHaveLength(2);
    expect((await api.call('POST', '/api/sessions/logout', { body: { name: 'main' } })).status).toBe(201);
    expect(await api.sessions.get('main')).toMatchObject({ desired: 'DELETED' });
    expect((await api.call('POST', '/api/sessions/stop', { body: { name: 'nobody' } })).status).toBe(201);
  });
});

describe('what an earlier session of the same name has left', () => {
  const message = {
    ...{ id: 'false_491511234567@c.us_3EB0OLD000', from: '491@c.us', to: '490@c.us', participant: null, body: 'x' },
    ...{ hasMedia: false, media: null, source: 'app' as const, ack: 2, ackName: 'DEVICE', vCards: [] },
    ...{ timestamp: 1_700_000_000, fromMe: false },
  };

  it('is not the new session’s, also when it came after the removal', async () => {
    const api = new TestApi();
    await api.messages.add('main', message, 1);
    await api.call('POST', '/api/sessions', { body: { name: 'main' } });
    expect((await api.call('GET', '/api/main/chats/all/messages')).json).toEqual([]);
  });

  it('is no business of a creation that fails, nor of a deletion that was slow', async () => {
    const api = new TestApi();
    const row = await api.session('main');
    await api.messages.add('main', message, 1);
    // Two at once: both see that the name is free.
    api.sessions.get = async () => undefined;
    expect((await api.call('POST', '/api/sessions', { body: { name: 'main' } })).status).toBe(422);
    api.sessions.get = async () => row;
    const deleting = api.call('DELETE', '/api/sessions/main');
    api.sessions.get = async () => undefined;
    expect((await deleting).status).toBe(200);
    expect(await api.messages.query('main', { limit: 5, offset: 0, sortOrder: 'asc' })).toHaveLength(1);
  });
});

describe('reading sessions', () => {
  it('lists stopped sessions only when asked', async () => {
    const api = new TestApi();
    await api.session('b');
    await api.call('POST', '/api/sessions', { body: { name: 'a', start: false } });
    expect((await api.call('GET', '/api/sessions')).json).toMatchObject([{ name: 'b' }]);
    expect((await api.call('GET', '/api/sessions?all=true')).json).toMatchObject([{ name: 'a' }, { name: 'b' }]);
  });

  it('tells when the next send may leave', async () => {
    const api = new TestApi();
    await api.session('main', { status: 'WORKING', nextSendAt: 1_700_000_000_000 });
    expect((await api.call('GET', '/api/sessions/main')).json).toMatchObject({ nextSendAt: 1_700_000_000_000 });
  });

  it('tells who is behind a session', async () => {
    const api = new TestApi();
    const me = { id: '491@c.us', pushName: 'Me', lid: null, jid: null };
    await api.session('main', { status: 'WORKING', me });
    expect((await api.call('GET', '/api/sessions/main/me')).json).toEqual(me);
    await api.session('new', { status: 'STARTING' });
    expect((await api.call('GET', '/api/sessions/new/me')).text).toBe('null');
  });
});

describe('whoever starts hosts is told', () => {
  it('of sessions that want one: to run, to stop what ran, to be unlinked, to be deleted', async () => {
    const api = new TestApi();
    await api.call('POST', '/api/sessions', { body: { name: 'idle', start: false } });
    expect(api.wanted).toEqual([]);
    await api.call('POST', '/api/sessions/idle/start');
    await api.call('POST', '/api/sessions/idle/restart');
    await api.call('POST', '/api/sessions/idle/logout');
    expect(api.wanted).toEqual(['idle', 'idle', 'idle']);
    const row = await api.sessions.get('idle');
    await api.sessions.report('idle', row?.incarnation ?? '', 1, {
      status: 'STOPPED',
      logoutDone: row?.logoutToken ?? '',
    });
    await api.call('POST', '/api/sessions/idle/stop');
    expect(api.wanted).toHaveLength(3);
    await api.call('DELETE', '/api/sessions/idle');
    expect(api.wanted).toHaveLength(4);
  });

  it('and it is no reason to refuse anything when that fails', async () => {
    const signals = { wanted: () => Promise.reject(new DependencyError('The bus is away')) };
    const api = new TestApi({}, { signals });
    const { status } = await api.call('POST', '/api/sessions', { body: { name: 'one' } });
    expect(status).toBe(201);
    expect(JSON.stringify(api.logged)).toContain('wants a host');
  });
});
