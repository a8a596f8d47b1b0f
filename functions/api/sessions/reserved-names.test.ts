import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { OPERATIONS } from '#shared/contracts/api/index.ts';
import { RESERVED_SESSION_NAMES } from '#shared/contracts/api/routes.ts';
import { isSessionName } from '#shared/domain/session-name.ts';
import { sessionRow } from '#test/contracts/rows.ts';
import { TestApi } from '../test-support/test-api.ts';

const segments = [...new Set(OPERATIONS.flatMap(({ path }) => path.split('/')))].filter(isSessionName);
const free = segments.filter((name) => !RESERVED_SESSION_NAMES.has(name));
const refusal = z.object({ issues: z.array(z.object({ path: z.literal('name'), message: z.string() })).length(1) });

const api = () => new TestApi({ ownerWaitMs: 0 });

describe('names that a path of the API has in the place of a session', () => {
  it.each(['sessions', 'files', 'keys', 'server', 'audit', 'sendText', 'start', 'logout'])('%s is one', (name) => {
    expect(RESERVED_SESSION_NAMES.has(name)).toBe(true);
  });

  it.each([...RESERVED_SESSION_NAMES])('%s cannot be given to a session', async (name) => {
    const server = api();
    for (const url of ['/api/sessions', '/api/sessions/start']) {
      const answer = await server.call('POST', url, { body: { name } });
      expect(answer.status, url).toBe(400);
      expect(refusal.parse(answer.json).issues[0]?.message).toContain('a path of the API');
    }
    expect(await server.sessions.list()).toEqual([]);
  });

  it.each([...RESERVED_SESSION_NAMES])('%s of a session from before can be started, and deleted', async (name) => {
    const server = api();
    await server.sessions.create(sessionRow({ name, desired: 'STOPPED', status: 'STOPPED' }));
    expect((await server.call('POST', '/api/sessions/start', { body: { name } })).status).toBe(201);
    expect((await server.call('POST', '/api/sessions/logout', { body: { name } })).status).toBe(201);
    expect(await server.sessions.get(name)).toMatchObject({ desired: 'DELETED' });
  });

  it.each([...free, 'default'])('%s is none: a session of this name is reached at each of its paths', async (name) => {
    const server = api();
    expect((await server.call('POST', '/api/sessions', { body: { name } })).status).toBe(201);
    expect((await server.call('GET', `/api/sessions/${name}`)).json).toMatchObject({ name });
    expect((await server.call('GET', `/api/${name}/webhooks`)).status).toBe(200);
    for (const { path } of OPERATIONS) {
      const [before, after] = path.split('{session}');
      const own = after === undefined ? [] : OPERATIONS.filter((one) => one.path.startsWith(`${before}${name}/`));
      expect(
        own.map(({ id }) => id),
        path,
      ).toEqual([]);
    }
  });
});
