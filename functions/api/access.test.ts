import { describe, expect, it, vi } from 'vitest';
import { OPERATIONS } from '#shared/contracts/api/index.ts';
import { IAM_STAGE_VARIABLES } from '#shared/contracts/api/routes.ts';
import { KEY_ACTIONS } from '#shared/contracts/rows.ts';
import { TestApi } from './test-support/test-api.ts';

const protectedOperations = OPERATIONS.filter((operation) => operation.scope !== 'public');
const path = (template: string, session: string) =>
  template.replace('{session}', session).replace(/\{(\w+)\+?\}/g, (_all, name) => (name === 'id' ? 'job_1' : '491511'));
/** What is part of what a scope is. */
const WIDER: Readonly<Record<string, string>> = { media: 'read' };

describe('scopes', () => {
  it.each(protectedOperations.map((operation) => [operation.id, operation] as const))(
    '%s needs a key, and one that allows it',
    async (_id, operation) => {
      const api = new TestApi({ ownerWaitMs: 0, stateWaitMs: 0, commandWaitMs: 0 });
      const url = path(operation.path, 'main');
      const body = operation.request.body === undefined ? {} : { body: {} };
      const none = await api.call(operation.method, url, { ...body, key: null });
      expect(none.status).toBe(401);
      expect(none.json).toEqual({ statusCode: 401, message: 'Unauthorized', code: 'unauthenticated' });

      const others = KEY_ACTIONS.filter((action) => action !== operation.scope && action !== WIDER[operation.scope]);
      const wrong = await api.call(operation.method, url, { ...body, key: { actions: others } });
      expect(wrong.status).toBe(403);
      expect(wrong.json).toMatchObject({ statusCode: 403, error: 'Forbidden', code: 'forbidden' });

      const admin = await api.call(operation.method, url, { ...body, key: { actions: [], isAdmin: true } });
      expect(admin.status).not.toBe(403);
    },
  );
});

describe('keys of one session', () => {
  const key = { session: 'mine' };

  it('see and touch that session only, and do not learn which others exist', async () => {
    const api = new TestApi();
    await api.session('mine');
    await api.session('other');
    expect((await api.call('GET', '/api/sessions?all=true', { key })).json).toMatchObject([{ name: 'mine' }]);
    expect((await api.call('GET', '/api/sessions/mine', { key })).status).toBe(200);
    for (const name of ['other', 'nobody']) {
      const answers = await Promise.all([
        api.call('GET', `/api/sessions/${name}`, { key }),
        api.call('POST', `/api/sessions/${name}/stop`, { key }),
        api.call('GET', `/api/${name}/chats`, { key }),
        api.call('GET', `/api/files/${name}/pic.jpg`, { key }),
        api.call('GET', `/api/messages?session=${name}&chatId=all`, { key }),
        api.call('POST', '/api/sendText', { key, body: { session: name, chatId: '491511234567', text: 'x' } }),
        api.call('POST', '/api/sessions', { key, body: { name } }),
        api.call('POST', '/api/sessions/logout', { key, body: { name } }),
      ]);
      expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 403));
    }
    expect((await api.call('POST', '/api/sessions', { key, body: {} })).status).toBe(403);
  });
});

describe('sessions that do not exist', () => {
  it('are 404, worded as WAHA words it', async () => {
    const api = new TestApi();
    const lifecycle = await api.call('POST', '/api/sessions/nobody/start');
    expect(lifecycle.status).toBe(404);
    expect(lifecycle.json).toMatchObject({ message: 'Session not found', error: 'Not Found', statusCode: 404 });
    const within = await api.call('GET', '/api/nobody/chats');
    expect(within.status).toBe(404);
    expect(within.text).toContain("We didn't find a session with name 'nobody'.");
    const body = { chatId: '491511234567', text: 'x' };
    expect((await api.call('POST', '/api/sendText', { body })).text).toContain("with name 'default'");
  });
});

describe('engines', () => {
  it('that cannot do it are 422', async () => {
    const api = new TestApi({ engine: 'GOWS' });
    await api.session('main');
    const body = { session: 'main', chatId: '491511234567', messageId: '3EB0AAAAAA' };
    const answer = await api.call('POST', '/api/forwardMessage', { body });
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({ code: 'not-supported', error: 'Unprocessable Entity' });
  });
});

describe('requests that IAM has let through', () => {
  const userArn = 'arn:aws:iam::123456789012:user/ada';
  const ask = (stageVariables: Readonly<Record<string, string>> | null, who: string | null) =>
    new TestApi().call('GET', '/api/sessions', { key: null, signed: { stageVariables, userArn: who } });

  it('are held to the row of their principal, where there is one', async () => {
    const api = new TestApi();
    await api.session('mine');
    await api.session('other');
    const principal = 'arn:aws:iam::123456789012:role/teams/Support';
    const body = { principal, session: 'mine', actions: { read: true } };
    const made = await api.call('POST', '/api/keys', { body, key: { isAdmin: true } });
    expect(made.status, made.text).toBe(201);
    expect(made.json).toMatchObject({ key: '', principal: 'arn:aws:iam::123456789012:role/Support' });
    const call = async (method: string, url: string, role = 'Support') => {
      const arn = `arn:aws:sts::123456789012:assumed-role/${role}/ada`;
      const signed = { stageVariables: IAM_STAGE_VARIABLES, userArn: arn };
      return (await api.call(method, url, { key: null, signed })).status;
    };
    expect(await call('GET', '/api/sessions/mine')).toBe(200);
    expect(await call('GET', '/api/sessions/other')).toBe(403);
    expect(await call('POST', '/api/sessions/mine/stop')).toBe(403);
    expect(await call('GET', '/api/keys')).toBe(403);
    expect(await call('GET', '/api/sessions/other', 'Admin')).toBe(200);
    const { id } = made.json as { id: string };
    await api.call('PUT', `/api/keys/${id}`, { body: { isActive: false }, key: { isAdmin: true } });
    expect(await call('GET', '/api/sessions/mine')).toBe(401);
    expect((await api.call('POST', '/api/keys', { body, key: { isAdmin: true } })).status).toBe(409);
    await api.call('DELETE', `/api/keys/${id}`, { key: { isAdmin: true } });
    expect(await call('GET', '/api/sessions/mine')).toBe(401);
    expect(await call('GET', '/api/sessions/other')).toBe(401);
    expect((await api.call('POST', '/api/keys', { body, key: { isAdmin: true } })).status).toBe(201);
    expect(await call('GET', '/api/sessions/mine')).toBe(200);
    expect(await call('GET', '/api/sessions/other')).toBe(403);

    await api.call('DELETE', '/api/sessions/mine', { key: { isAdmin: true } });
    expect(await call('GET', '/api/sessions/other')).toBe(401);
    expect(await call('GET', '/api/keys')).toBe(401);
  });

  it('are a use of their principal’s row, unless it lets nothing through', async () => {
    const api = new TestApi();
    const admin = { isAdmin: true };
    const signed = { stageVariables: IAM_STAGE_VARIABLES, userArn };
    const { id } = (await api.call('POST', '/api/keys', { body: { principal: userArn }, key: admin })).json as {
      id: string;
    };
    await api.call('GET', '/api/sessions', { key: null, signed });
    const used = (await api.keys.get(id))?.lastUsedAt;
    expect(used).toBeGreaterThan(0);
    expect((await api.call('GET', '/api/keys', { key: admin })).json).toMatchObject([{ id, lastUsedAt: used }]);
    const off = await api.call('PUT', `/api/keys/${id}`, { body: { isActive: false }, key: admin });
    expect(off.status).toBe(200);
    const note = vi.spyOn(api.keys, 'used');
    await api.call('GET', '/api/sessions', { key: null, signed });
    expect(note).not.toHaveBeenCalled();
  });

  it('are admitted on the stage for them', async () => {
    expect((await ask(IAM_STAGE_VARIABLES, userArn)).status).toBe(200);
  });

  it('are nobody’s on any other stage, or without a signature', async () => {
    expect((await ask(null, userArn)).status).toBe(401);
    expect((await ask({ authorization: 'key' }, userArn)).status).toBe(401);
    expect((await ask(IAM_STAGE_VARIABLES, null)).status).toBe(401);
  });
});
