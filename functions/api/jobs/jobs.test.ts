import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { jobSchema } from '#shared/contracts/api/bodies.ts';
import { IAM_STAGE_VARIABLES } from '#shared/contracts/api/routes.ts';
import type { JobState } from '#shared/contracts/jobs.ts';
import { waMessage } from '#test/contracts/rows.ts';
import { TestApi } from '../test-support/test-api.ts';

const CHAT = '491511234567@c.us';

async function api(): Promise<TestApi> {
  const created = new TestApi({ commandWaitMs: 0 });
  await created.session('main');
  return created;
}

async function send(server: TestApi, text = 'Hi', headers = {}): Promise<string> {
  const answer = await server.call('POST', '/api/sendText', { body: { session: 'main', chatId: CHAT, text }, headers });
  return z.object({ _data: z.object({ jobId: z.string() }) }).parse(answer.json)._data.jobId;
}

const cancel = (server: TestApi, id: string) => server.call('DELETE', `/api/main/jobs/${id}`);

describe('cancelling', () => {
  it('ends a send that waits, once and for all', async () => {
    const server = await api();
    const id = await send(server);
    const answer = await cancel(server, id);
    expect(answer.status, answer.text).toBe(200);
    const job = { id, state: 'CANCELLED', error: { code: 'cancelled' } };
    expect(jobSchema.parse(answer.json)).toMatchObject(job);
    expect((await cancel(server, id)).status).toBe(200);
    // What a host writes afterwards changes nothing.
    await server.jobs.prepare('main', id, 3, { content: 'AAAA' });
    await server.jobs.advance('main', id, 3, { state: 'SENT' });
    expect((await server.call('GET', `/api/main/jobs/${id}`)).json).toMatchObject(job);
  });

  it('ends one that pacing holds back, although a host has written', async () => {
    const server = await api();
    const id = await send(server);
    await server.jobs.defer('main', id, 8, { notBefore: Date.now() + 60_000, waitsFor: 'gap' });
    expect((await cancel(server, id)).status).toBe(200);
  });

  it('comes too late once the content is frozen: it may be on the wire', async () => {
    const server = await api();
    const id = await send(server);
    await server.jobs.prepare('main', id, 3, { content: 'AAAA' });
    const answer = await cancel(server, id);
    expect(answer.status).toBe(409);
    expect(answer.json).toMatchObject({ code: 'conflict', job: { id, state: 'PREPARED' } });
    expect(await server.jobs.get('main', id)).toMatchObject({ state: 'PREPARED' });
  });

  it.each<JobState>(['SENT', 'FAILED', 'EXPIRED', 'READ'])('tells that the job is %s', async (state) => {
    const server = await api();
    const id = await send(server);
    await server.jobs.advance('main', id, 3, { state });
    const answer = await cancel(server, id);
    expect(answer.status).toBe(409);
    expect(answer.json).toMatchObject({ job: { id, state, url: `/api/main/jobs/${id}` } });
  });

  it('knows no other job', async () => {
    expect((await cancel(await api(), 'job_unknown')).status).toBe(404);
  });

  it('leaves commands alone', async () => {
    const server = await api();
    await server.call('POST', '/api/startTyping', { body: { session: 'main', chatId: CHAT } });
    const queued = server.queued.at(-1)?.message;
    if (queued?.kind !== 'job') throw new Error('no job');
    expect((await cancel(server, queued.jobId)).status).toBe(422);
    expect(await server.jobs.get('main', queued.jobId)).toMatchObject({ state: 'QUEUED' });
  });

  it('does not free the Idempotency-Key', async () => {
    const server = await api();
    const headers = { 'Idempotency-Key': 'order-1' };
    const id = await send(server, 'Hi', headers);
    await cancel(server, id);
    expect(await send(server, 'Hi', headers)).toBe(id);
    expect(await server.jobs.get('main', id)).toMatchObject({ state: 'CANCELLED' });
  });
});

describe('a job', () => {
  it.each([
    [1, 'SENT'],
    [2, 'DELIVERED'],
    [3, 'READ'],
    [4, 'PLAYED'],
  ] as const)('whose message has ack %i is shown %s', async (ack, state) => {
    const server = await api();
    const id = await send(server);
    const shown = async () => jobSchema.parse((await server.call('GET', `/api/main/jobs/${id}`)).json).state;
    const messageId = (await server.jobs.get('main', id))?.messageId ?? '';
    await server.messages.add('main', waMessage({ id: messageId, chatId: CHAT, fromMe: true, ack }), 1);
    expect(await shown()).toBe('QUEUED');
    await server.jobs.advance('main', id, 3, { state: 'SENT' });
    expect(await shown()).toBe(state);
    await server.messages.clear('main');
    expect(await shown()).toBe('SENT');
  });
});

describe('of an earlier session of the same name', () => {
  const get = (server: TestApi, path: string, key: object) => server.call('GET', `/api/main/jobs${path}`, { key });
  /** A session's key, and two jobs: of the session before it and its own. */
  async function twoSessions() {
    const server = await api();
    const earlier = await send(server);
    const before = await server.sessions.get('main');
    await server.sessions.remove('main', before?.incarnation ?? '', before?.epoch ?? 0);
    const { incarnation } = await server.session('main');
    const own = await send(server);
    return { server, earlier, own, key: { session: 'main', incarnation } };
  }

  it('jobs are not there for a key of the session', async () => {
    const { server, earlier, own, key } = await twoSessions();
    const listed = await get(server, '', key);
    expect(z.array(jobSchema).parse(listed.json)).toMatchObject([{ id: own }]);
    expect((await get(server, '?offset=1', key)).json).toEqual([]);
    const unknown = (await get(server, '/job_unknown', key)).text;
    for (const method of ['GET', 'DELETE']) {
      const answer = await server.call(method, `/api/main/jobs/${earlier}`, { key });
      expect([answer.status, answer.text]).toEqual([404, unknown.replace('job_unknown', earlier)]);
    }
    expect(await server.jobs.get('main', earlier)).toMatchObject({ state: 'QUEUED' });
    expect((await get(server, `/${own}`, key)).json).toMatchObject({ id: own });
    expect((await server.call('DELETE', `/api/main/jobs/${own}`, { key })).status).toBe(200);
  });

  it('jobs are there for keys of all sessions', async () => {
    const { server, earlier, own } = await twoSessions();
    for (const key of [{}, { isAdmin: true, actions: [] }]) {
      expect((await get(server, `/${earlier}`, key)).json).toMatchObject({ id: earlier });
      const listed = z.array(jobSchema).parse((await get(server, '', key)).json);
      expect(listed.map(({ id }) => id).sort()).toEqual([earlier, own].sort());
    }
    expect((await cancel(server, earlier)).status).toBe(200);
  });

  it('jobs are not there for a principal of the session either', async () => {
    const { server, earlier, own } = await twoSessions();
    const principal = 'arn:aws:iam::123456789012:role/Support';
    const body = { principal, session: 'main' };
    expect((await server.call('POST', '/api/keys', { key: { isAdmin: true }, body })).status).toBe(201);
    const signed = {
      stageVariables: IAM_STAGE_VARIABLES,
      userArn: 'arn:aws:sts::123456789012:assumed-role/Support/session-1',
    };
    const status = async (id: string) =>
      (await server.call('GET', `/api/main/jobs/${id}`, { key: null, signed })).status;
    expect([await status(own), await status(earlier)]).toEqual([200, 404]);
  });
});

describe('the list of jobs', () => {
  it('shows the newest first, what waits and why', async () => {
    const server = await api();
    const [first, second, third] = [await send(server, '1'), await send(server, '2'), await send(server, '3')];
    const created = async (id: string) => (await server.jobs.get('main', id))?.createdAt ?? 0;
    const notBefore = Date.now() + 60_000;
    await server.jobs.defer('main', second, 1, { notBefore, waitsFor: 'hour-cap' });
    await server.jobs.advance('main', first, 1, { state: 'SENT' });
    const list = async (query: string) => {
      const answer = await server.call('GET', `/api/main/jobs${query}`);
      expect(answer.status, answer.text).toBe(200);
      return z.array(jobSchema).parse(answer.json);
    };
    const all = await list('');
    expect(all.map(({ id }) => id).sort()).toEqual([first, second, third].sort());
    const times = await Promise.all(all.map(({ id }) => created(id)));
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(all.find(({ id }) => id === second)).toMatchObject({ notBefore, waitsFor: 'hour-cap' });
    expect((await list('?state=SENT')).map(({ id }) => id)).toEqual([first]);
    expect(await list('?state=QUEUED&limit=1&offset=1')).toHaveLength(1);
    expect(await list('?offset=3')).toEqual([]);
    expect((await server.call('GET', '/api/other/jobs')).json).toEqual([]);
  });

  it.each(['?state=LOST', '?state=ON_WIRE', '?limit=0', '?limit=101', '?offset=-1'])('refuses %s', async (query) => {
    expect((await (await api()).call('GET', `/api/main/jobs${query}`)).status).toBe(400);
  });
});
