import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { JobOutcome } from '#shared/ports/job-store.ts';
import { TestApi } from '../test-support/test-api.ts';

const CHAT = '491511234567@c.us';

/** An API whose host answers every command at once. */
async function answering(outcome: JobOutcome | undefined, config = {}) {
  const api = new TestApi(config);
  await api.session('main');
  const commands: unknown[] = [];
  api.onQueued = async (message) => {
    if (message.kind !== 'job') return;
    commands.push((await api.jobs.get('main', message.jobId))?.command);
    if (outcome) await api.jobs.advance('main', message.jobId, 1, outcome);
  };
  return { api, commands };
}

describe('commands', () => {
  it.each(['/api/contacts/check-exists', '/api/checkNumberStatus'])('GET %s asks WhatsApp', async (path) => {
    const result = { numberExists: true, chatId: CHAT };
    const { api, commands } = await answering({ state: 'DONE', result });
    const answer = await api.call('GET', `${path}?session=main&phone=%2B49+151+1234567`);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json).toEqual(result);
    expect(commands).toEqual([{ type: 'checkExists', phone: '491511234567' }]);
    expect(api.queued.at(-1)?.lane).toBe('control');
  });

  it('shows typing', async () => {
    const { api, commands } = await answering({ state: 'DONE', result: {} });
    for (const path of ['/api/startTyping', '/api/stopTyping']) {
      expect((await api.call('POST', path, { body: { session: 'main', chatId: CHAT } })).status).toBe(201);
    }
    expect(commands).toMatchObject([{ typing: true }, { typing: false }]);
  });

  it('marks the named messages read, or else the unread ones', async () => {
    const { api, commands } = await answering({ state: 'DONE', result: {} });
    const body = { session: 'main', chatId: CHAT };
    await api.call('POST', '/api/sendSeen', { body: { ...body, messageIds: [`false_${CHAT}_3EB0AAAA`, '3EB0BBBB'] } });
    expect(commands).toMatchObject([{ messages: [{ id: '3EB0AAAA' }, { id: '3EB0BBBB', chatId: CHAT }] }]);

    expect((await api.call('POST', '/api/sendSeen', { body })).status).toBe(201);
    expect(commands).toHaveLength(1);
    const now = Math.floor(Date.now() / 1000);
    const fields = { from: CHAT, to: '490@c.us', participant: null, body: 'x', hasMedia: false, media: null };
    const message = { ...fields, source: 'app' as const, ack: 2, ackName: 'DEVICE', vCards: [], timestamp: now };
    await api.messages.add('main', { ...message, id: `false_${CHAT}_3EB0UNREAD`, fromMe: false }, 1);
    await api.messages.add('main', { ...message, id: `true_${CHAT}_3EB0MINE00`, fromMe: true }, 1);
    await api.call('POST', '/api/sendSeen', { body });
    expect(commands.at(-1)).toMatchObject({ messages: [{ id: '3EB0UNREAD' }] });
    const marked = commands.length;

    expect((await api.call('POST', '/api/sendSeen', { body })).status).toBe(201);
    expect(commands).toHaveLength(marked);
    // To name an own message says nothing about whether its receiver has read it.
    await api.call('POST', '/api/sendSeen', { body: { ...body, messageId: `true_${CHAT}_3EB0MINE00` } });
    const [own] = await api.messages.query('main', { fromMe: true, limit: 5, offset: 0, sortOrder: 'asc' });
    expect(own?.ack).toBe(2);
  });

  it('leaves messages unread when WhatsApp was not told', async () => {
    const { api } = await answering({ state: 'FAILED', error: { code: 'rejected', message: 'm' } });
    const message = {
      ...{ id: `false_${CHAT}_3EB0UNREAD`, from: CHAT, to: '490@c.us', participant: null, body: 'x', fromMe: false },
      ...{ hasMedia: false, media: null, source: 'app' as const, ack: 2, ackName: 'DEVICE', vCards: [] },
      timestamp: Math.floor(Date.now() / 1000),
    };
    await api.messages.add('main', message, 1);
    await api.call('POST', '/api/sendSeen', { body: { session: 'main', chatId: CHAT } });
    expect((await api.messages.get('main', '3EB0UNREAD'))?.ack).toBe(2);
  });

  it('answers 202 with the job when it takes too long', async () => {
    const { api } = await answering(undefined, { commandWaitMs: 5_000 });
    const body = { session: 'main', chatId: CHAT };
    const answer = await api.call('POST', '/api/startTyping', { body, headers: { Prefer: 'wait=0' } });
    expect(answer.status).toBe(202);
    const { id, state, url } = z.object({ id: z.string(), state: z.string(), url: z.string() }).parse(answer.json);
    expect(state).toBe('QUEUED');
    expect(answer.headers.location).toBe(url);
    const job = await api.call('GET', url);
    expect(job.status).toBe(200);
    expect(job.json).toMatchObject({ id, session: 'main', type: 'setTyping', state: 'QUEUED', messageId: null });
  });

  it.each([
    [
      { code: 'session-not-working', message: 'm' },
      { code: 'wrong-state', expected: ['WORKING'] },
    ],
    [
      { code: 'not-supported', message: 'm' },
      { code: 'not-supported', message: 'm' },
    ],
    [
      { code: 'rejected', message: 'm' },
      { code: 'engine', reason: 'rejected', message: 'm' },
    ],
  ])('a failure %j is a 422', async (error, expected) => {
    const { api } = await answering({ state: 'FAILED', error });
    const answer = await api.call('POST', '/api/startTyping', { body: { session: 'main', chatId: CHAT } });
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject(expected);
  });

  it('is a 404 when its session went away meanwhile', async () => {
    const { api } = await answering({ state: 'FAILED', error: { code: 'session-not-found', message: 'm' } });
    const answer = await api.call('POST', '/api/startTyping', { body: { session: 'main', chatId: CHAT } });
    expect(answer.status).toBe(404);
  });

  it('needs a session that works', async () => {
    const api = new TestApi({ stateWaitMs: 15 });
    await api.session('main', { status: 'SCAN_QR_CODE' });
    const answer = await api.call('GET', '/api/contacts/check-exists?session=main&phone=491511234567');
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({ status: 'SCAN_QR_CODE', expected: ['WORKING'] });
  });

  it('gives ids for later sends', async () => {
    const { api } = await answering(undefined);
    const answer = await api.call('GET', '/api/main/new-message-id');
    expect(answer.json).toEqual({ id: expect.stringMatching(/^3EB0[0-9A-F]{18}$/) });
  });

  it('does not know other jobs', async () => {
    const { api } = await answering(undefined);
    expect((await api.call('GET', '/api/main/jobs/job_unknown')).status).toBe(404);
  });
});
