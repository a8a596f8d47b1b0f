import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { ApiConfig } from '../deps.ts';
import { TestApi } from '../test-support/test-api.ts';
import { createBacklog } from './backlog.ts';

const CHAT = '491511234567@c.us';
const body = (session: string, text = 'x') => ({ session, chatId: CHAT, text });

async function api(config: Partial<ApiConfig>): Promise<TestApi> {
  const server = new TestApi({ shards: ['socket-00'], commandWaitMs: 0, ...config });
  for (const name of ['full', 'other']) await server.session(name);
  server.queued.length = 0;
  return server;
}

const send = (server: TestApi, session: string, headers = {}) =>
  server.call('POST', '/api/sendText', { body: body(session), headers });

describe('the cap of a session', () => {
  it('is 429 with Retry-After, for its sends and nobody else’s', async () => {
    const server = await api({ sessionBacklogCap: 3 });
    const headers = { 'Idempotency-Key': 'first' };
    expect((await send(server, 'full', headers)).status).toBe(201);
    for (let index = 0; index < 2; index += 1) expect((await send(server, 'full')).status).toBe(201);
    const refused = await send(server, 'full');
    expect(refused.status).toBe(429);
    expect(refused.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(refused.json).toMatchObject({ code: 'quota', error: 'Too Many Requests' });
    expect(server.queued).toHaveLength(3);
    expect((await send(server, 'other')).status).toBe(201);
    expect((await server.call('POST', '/api/startTyping', { body: body('full') })).status).not.toBe(429);
    // What was accepted stays accepted.
    expect((await send(server, 'full', headers)).status).toBe(201);
  });

  it('counts what is there, whoever accepted it, and forgets what has left', async () => {
    const server = await api({ sessionBacklogCap: 2 });
    const first = await send(server, 'full');
    await send(server, 'full');
    // Another instance has counted nothing yet.
    const other = new TestApi({ sessionBacklogCap: 2 }, { jobs: server.jobs, sessions: server.sessions });
    const elsewhere = createBacklog({ ...server.deps, config: other.deps.config });
    const session = await server.sessions.get('full');
    if (session === undefined) throw new Error('no session');
    await expect(elsewhere.admit(session, 'send')).rejects.toMatchObject({ code: 'quota' });
    const { jobId } = z.object({ _data: z.object({ jobId: z.string() }) }).parse(first.json)._data;
    await server.jobs.advance('full', jobId, 1, { state: 'SENT' });
    await expect(elsewhere.admit(session, 'send')).rejects.toMatchObject({ code: 'quota' });
    await createBacklog({ ...server.deps, config: other.deps.config }).admit(session, 'send');
  });

  it('reads the count seldom, but always before it refuses for what it has accepted itself', async () => {
    const server = await api({});
    let now = 0;
    let waiting = 0;
    const reads: number[] = [];
    const countOpen = async () => {
      reads.push(waiting);
      return waiting;
    };
    const backlog = createBacklog({
      jobs: Object.assign(server.jobs, { countOpen }),
      queue: server.deps.queue,
      clock: { now: () => 0, monotonic: () => now },
      config: { sessionBacklogCap: 3, shardBacklogCap: 100 },
    });
    const session = await server.sessions.get('full');
    if (session === undefined) throw new Error('no session');
    const admit = () => backlog.admit(session, 'send');
    for (let index = 0; index < 3; index += 1) await admit();
    expect(reads).toEqual([0]);
    waiting = 2;
    await admit();
    expect(reads).toEqual([0, 2]);
    waiting = 3;
    for (let index = 0; index < 3; index += 1) await expect(admit()).rejects.toMatchObject({ code: 'quota' });
    expect(reads).toEqual([0, 2, 3]);
    waiting = 0;
    now = 2_000;
    await admit();
    expect(reads).toEqual([0, 2, 3, 0]);
  });
});

describe('the cap of a shard', () => {
  it('is 503 with Retry-After, for everything on it', async () => {
    const server = await api({ shardBacklogCap: 2 });
    for (const session of ['full', 'other']) expect((await send(server, session)).status).toBe(201);
    const answers = [
      await send(server, 'full'),
      await server.call('POST', '/api/startTyping', { body: body('other') }),
    ];
    for (const refused of answers) {
      expect(refused.status).toBe(503);
      expect(refused.headers['retry-after']).toMatch(/^[1-9]\d*$/);
      expect(refused.json).toMatchObject({ code: 'dependency' });
    }
    expect(server.queued).toHaveLength(2);
  });
});
