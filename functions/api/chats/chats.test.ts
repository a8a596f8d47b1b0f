import { beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { WaMedia, WaMessage } from '#shared/contracts/message.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import type { JobOutcome } from '#shared/ports/job-store.ts';
import { TestApi } from '../test-support/test-api.ts';

const CHAT = '491511234567@c.us';
const OTHER = '491511234568@c.us';
const ids = (body: unknown) =>
  z
    .array(z.object({ id: z.string() }))
    .parse(body)
    .map(({ id }) => id.split('_').at(-1));

function message(chat: string, id: string, timestamp: number, extra: Partial<WaMessage> = {}): WaMessage {
  const fromMe = extra.fromMe ?? false;
  return {
    id: `${fromMe}_${chat}_${id}`,
    timestamp,
    from: fromMe ? '490@c.us' : chat,
    fromMe,
    source: 'app',
    to: fromMe ? chat : '490@c.us',
    participant: null,
    body: id,
    hasMedia: false,
    media: null,
    ack: 1,
    ackName: 'SERVER',
    vCards: [],
    ...extra,
  };
}

let api: TestApi;
beforeEach(async () => {
  api = new TestApi();
  await api.session('main');
  const s3 = { Bucket: 'media', Key: 'files/main/pic.jpg' };
  const media = { url: '/api/files/main/pic.jpg', mimetype: 'image/jpeg', filename: null, s3, error: null };
  await api.messages.add('main', message(CHAT, 'MSG001', 100), 1);
  await api.messages.add('main', message(CHAT, 'MSG002', 200, { fromMe: true }), 1);
  await api.messages.add('main', message(CHAT, 'MSG003', 300, { hasMedia: true, media }), 1);
  await api.messages.add('main', message(OTHER, 'MSG004', 400), 1);
  await api.messages.raiseAck('main', 'MSG002', 3);
  await api.chats.touch('main', CHAT, { id: 'MSG003', timestamp: 300, seq: 1 }, 'Ann');
  await api.chats.touch('main', OTHER, { id: 'MSG004', timestamp: 400, seq: 1 });
});

describe('messages with one id', () => {
  const GROUP = '120363000000000001@g.us';
  const [ALICE, MALLORY] = ['491511234561@c.us', '491511234562@c.us'];
  const inGroup = (participant: string, body: string) => ({
    ...message(GROUP, 'SHARED', 500, { participant, body }),
    id: `false_${GROUP}_SHARED_${participant}`,
  });

  beforeEach(async () => {
    await api.messages.add('main', inGroup(ALICE, 'of Alice'), 1);
    await api.messages.add('main', inGroup(MALLORY, 'of Mallory'), 2);
    await api.messages.add('main', message(MALLORY, 'SHARED', 600, { body: 'for us' }), 3);
  });

  it.each([
    [GROUP, `false_${GROUP}_SHARED_${ALICE}`, 'of Alice'],
    [GROUP, `false_${GROUP}_SHARED_${MALLORY}`, 'of Mallory'],
    ['all', `false_${MALLORY}_SHARED`, 'for us'],
    [MALLORY, 'SHARED', 'for us'],
  ])('are each shown for themselves: %s %s', async (chat, id, body) => {
    expect((await api.call('GET', `/api/main/chats/${chat}/messages/${id}`)).json).toMatchObject({ body });
  });

  it.each([
    [GROUP, `true_${GROUP}_SHARED`],
    ['all', `false_${ALICE}_SHARED`],
    [ALICE, 'SHARED'],
    ['all', `false_${GROUP}_SHARED_${OTHER}`],
  ])('are not shown for another: %s %s', async (chat, id) => {
    expect((await api.call('GET', `/api/main/chats/${chat}/messages/${id}`)).status).toBe(404);
  });

  it.each([
    [GROUP, `false_${GROUP}_SHARED_${MALLORY}`, { chatId: GROUP, fromMe: false, participant: MALLORY }],
    [GROUP, `true_${GROUP}_SHARED`, { chatId: GROUP, fromMe: true }],
    [ALICE, `false_${ALICE}_SHARED`, { chatId: ALICE, fromMe: false }],
    [ALICE, 'SHARED', { chatId: ALICE, fromMe: true }],
    [MALLORY, 'SHARED', { chatId: MALLORY, fromMe: false }],
  ])('are deleted each for itself: %s %s', async (chat, id, author) => {
    await api.call('DELETE', `/api/main/chats/${chat}/messages/${id}`);
    expect((await api.jobs.list('main', { limit: 1, offset: 0 }))[0]?.command).toEqual({
      type: 'deleteMessage',
      chatId: author.chatId,
      message: { id: 'SHARED', ...author },
    });
  });
});

describe('messages', () => {
  it.each([
    ['', ['MSG003', 'MSG002', 'MSG001']],
    ['?limit=1', ['MSG003']],
    ['?limit=1&offset=1', ['MSG002']],
    ['?limit=10&sortOrder=asc', ['MSG001', 'MSG002', 'MSG003']],
    ['?limit=10&filter.timestamp.gte=200&filter.timestamp.lte=200', ['MSG002']],
    ['?limit=10&filter.fromMe=false&downloadMedia=true&merge=false&unknown=1', ['MSG003', 'MSG001']],
    ['?limit=10&filter.ack=READ', ['MSG002']],
  ])('of a chat %s', async (query, expected) => {
    const answer = await api.call('GET', `/api/main/chats/491511234567/messages${query}`);
    expect(answer.status, answer.text).toBe(200);
    expect(ids(answer.json)).toEqual(expected);
  });

  it('of all chats, also by the old call', async () => {
    expect(ids((await api.call('GET', '/api/main/chats/all/messages')).json)).toHaveLength(4);
    const old = await api.call('GET', `/api/messages?session=main&chatId=${CHAT}&limit=2`);
    expect(ids(old.json)).toEqual(['MSG003', 'MSG002']);
  });

  it('are those of the chat that is asked for, whoever has used the id before', async () => {
    await api.messages.add('main', message(OTHER, 'MSG001', 500, { body: 'of another chat' }), 2);
    await api.chats.touch('main', OTHER, { id: 'MSG001', timestamp: 500, seq: 2 });
    const bodyAt = async (path: string) => (await api.call('GET', `/api/main/chats/${path}`)).json;
    expect(await bodyAt(`${CHAT}/messages/MSG001`)).toMatchObject({ body: 'MSG001' });
    expect(await bodyAt(`${OTHER}/messages/MSG001`)).toMatchObject({ body: 'of another chat' });
    expect(await bodyAt(`all/messages/false_${OTHER}_MSG001`)).toMatchObject({ body: 'of another chat' });
    expect(await bodyAt('overview?limit=1')).toMatchObject([{ lastMessage: { body: 'of another chat' } }]);
    const put = { body: { text: 'new' } };
    await api.messages.add('main', message(OTHER, 'MSG002', 500), 2);
    expect((await api.call('PUT', `/api/main/chats/${OTHER}/messages/MSG002`, put)).status).toBe(400);
    expect((await api.call('PUT', `/api/main/chats/${CHAT}/messages/MSG002`, put)).status).toBe(200);
  });

  it('can be named by whatever id they have', async () => {
    const id = `false_${CHAT}_MY%5FOWN%2FID`;
    await api.messages.add('main', { ...message(CHAT, 'X', 500), id, body: 'mine' }, 2);
    const answer = await api.call('GET', `/api/main/chats/${CHAT}/messages/${encodeURIComponent(id)}`);
    expect(answer.json).toMatchObject({ id, body: 'mine' });
  });

  it('carry their newest ack, and media at an address the client can open', async () => {
    const read = await api.call('GET', `/api/main/chats/${encodeURIComponent(CHAT)}/messages/true_${CHAT}_MSG002`);
    expect(read.json).toMatchObject({ ack: 3, ackName: 'READ' });
    const headers = { 'X-Forwarded-Proto': 'https', Host: 'wa.example.com' };
    const media = await api.call('GET', '/api/main/chats/all/messages/MSG003', { headers });
    expect(media.json).toMatchObject({ media: { url: 'https://wa.example.com/api/files/main/pic.jpg' } });
    expect((await api.call('GET', `/api/main/chats/${OTHER}/messages/MSG003`)).status).toBe(404);
  });

  describe('whose media is not stored', () => {
    const missing = { url: null, mimetype: 'image/jpeg', filename: null, s3: null, error: 'too late' };
    const s3 = { Bucket: 'media', Key: 'files/main/MSG005.jpg' };
    const media = { ...missing, url: '/api/files/main/MSG005.jpg', s3, error: null };
    const path = '/api/main/chats/all/messages/MSG005';
    const read = async (
      outcome: JobOutcome | undefined,
      query: string,
      headers = {},
      media: WaMedia | null = missing,
    ) => {
      await api.messages.add('main', message(CHAT, 'MSG005', 500, { hasMedia: true, media }), 1);
      const commands: unknown[] = [];
      api.onQueued = async (queued) => {
        if (queued.kind !== 'job') return;
        commands.push((await api.jobs.get('main', queued.jobId))?.command);
        if (outcome) await api.jobs.advance('main', queued.jobId, 1, outcome);
      };
      return { answer: await api.call('GET', `${path}${query}`, { headers }), commands };
    };

    it('download it on demand', async () => {
      const { answer, commands } = await read({ state: 'DONE', result: { media } }, '?downloadMedia=true');
      expect(answer.status, answer.text).toBe(200);
      expect(commands).toEqual([{ type: 'downloadMedia', message: { chatId: CHAT, id: 'MSG005', fromMe: false } }]);
      expect(answer.json).toMatchObject({ media: { url: expect.stringMatching(/^http.*MSG005\.jpg$/), error: null } });
    });

    it('are what they were when nobody asks, or it takes too long, or the session does not run', async () => {
      const unasked = await read(undefined, '');
      const late = await read(undefined, '?downloadMedia=true', { Prefer: 'wait=0' });
      const row = await api.sessions.get('main');
      await api.sessions.intend('main', row?.incarnation ?? '', { desired: 'STOPPED' });
      const stopped = await read(undefined, '?downloadMedia=true');
      expect([unasked, late, stopped].map(({ commands }) => commands.length)).toEqual([0, 1, 0]);
      for (const { answer } of [unasked, late, stopped]) expect(answer.json).toMatchObject({ media: missing });
    });

    it.each(['FAILED', 'STARTING', 'SCAN_QR_CODE'] as const)('are what they were while it is %s', async (status) => {
      const row = await api.sessions.get('main');
      await api.sessions.report('main', row?.incarnation ?? '', 1, { status });
      const { answer, commands } = await read(undefined, '?downloadMedia=true');
      expect([answer.status, commands]).toEqual([200, []]);
      expect(answer.json).toMatchObject({ media: missing });
    });

    const failed = (code: string): JobOutcome => ({ state: 'FAILED', error: { code, message: 'It is gone' } });
    it.each<[JobOutcome, WaMedia | null, WaMedia | null]>([
      [failed('media-missing'), missing, missing],
      [failed('media-missing'), { ...missing, error: null }, { ...missing, error: 'It is gone' }],
      [failed('media-missing'), null, { ...missing, mimetype: null, error: 'It is gone' }],
      [failed('session-not-working'), missing, missing],
      [failed('session-not-found'), null, null],
      [failed('not-supported'), missing, missing],
      [{ state: 'EXPIRED' }, missing, missing],
    ])('are shown all the same when the engine fails: %j, %j', async (outcome, before, after) => {
      const { answer, commands } = await read(outcome, '?downloadMedia=true', {}, before);
      expect(commands).toHaveLength(1);
      expect(answer.status, answer.text).toBe(200);
      expect(answer.json).toMatchObject({ media: after });
    });

    it('are shown all the same when nobody can be asked, which is logged', async () => {
      await api.messages.add('main', message(CHAT, 'MSG005', 500, { hasMedia: true, media: missing }), 1);
      api.onQueued = () => Promise.reject(new DependencyError('SQS is away'));
      const answer = await api.call('GET', `${path}?downloadMedia=true`);
      expect(answer.status, answer.text).toBe(200);
      expect(answer.json).toMatchObject({ media: missing });
      expect(JSON.stringify(api.logged)).toContain('could not ask for media');
    });

    it('tell of what nobody has foreseen', async () => {
      const { answer } = await read({ state: 'DONE', result: { media: 'nonsense' } }, '?downloadMedia=true');
      expect(answer.status).toBe(500);
    });
  });

  it('do not download what is stored', async () => {
    api.onQueued = () => expect.unreachable();
    const answer = await api.call('GET', '/api/main/chats/all/messages/MSG003?downloadMedia=true');
    expect(answer.json).toMatchObject({ media: { url: expect.stringMatching(/pic\.jpg$/) } });
  });

  it('can be edited and deleted', async () => {
    const edited = await api.call('PUT', `/api/main/chats/${CHAT}/messages/MSG002`, { body: { text: 'new' } });
    expect(edited.status, edited.text).toBe(200);
    const job = (body: unknown) => z.object({ _data: z.object({ jobId: z.string() }) }).parse(body)._data.jobId;
    expect((await api.jobs.get('main', job(edited.json)))?.command).toEqual({
      type: 'editMessage',
      chatId: CHAT,
      message: { chatId: CHAT, id: 'MSG002', fromMe: true },
      text: 'new',
    });
    const foreign = await api.call('PUT', `/api/main/chats/${CHAT}/messages/MSG001`, { body: { text: 'new' } });
    expect(foreign.json).toMatchObject({ statusCode: 400, issues: [{ path: 'path.messageId' }] });
    const deleted = await api.call('DELETE', `/api/main/chats/${CHAT}/messages/true_${CHAT}_UNKNOWN`);
    expect(deleted.status).toBe(200);
    expect((await api.jobs.get('main', job(deleted.json)))?.command).toMatchObject({
      type: 'deleteMessage',
      message: { id: 'UNKNOWN', fromMe: true },
    });
  });
});

describe('chats', () => {
  it('are listed, the latest first or as asked', async () => {
    expect((await api.call('GET', '/api/main/chats')).json).toEqual([
      { id: OTHER, name: null, conversationTimestamp: 400 },
      { id: CHAT, name: 'Ann', conversationTimestamp: 300 },
    ]);
    expect(ids((await api.call('GET', '/api/main/chats?sortBy=id&limit=1')).json)).toEqual([CHAT]);
  });

  it('have an overview, by query and by body', async () => {
    const all = await api.call('GET', '/api/main/chats/overview');
    expect(all.json).toMatchObject([
      { id: OTHER, picture: null, lastMessage: { body: 'MSG004' }, _chat: { id: OTHER } },
      { id: CHAT, name: 'Ann', lastMessage: { body: 'MSG003' } },
    ]);
    expect(ids((await api.call('GET', `/api/main/chats/overview?ids=491511234567`)).json)).toEqual([CHAT]);
    expect(ids((await api.call('GET', `/api/main/chats/overview?ids=${CHAT}&ids=${OTHER}`)).json)).toHaveLength(2);
    const body = { pagination: { limit: 1 }, filter: { ids: [CHAT] } };
    const posted = await api.call('POST', '/api/main/chats/overview', { body });
    expect(posted.status).toBe(201);
    expect(ids(posted.json)).toEqual([CHAT]);
  });
});

describe('files', () => {
  it('have one address each: an encoded slash is none', async () => {
    await api.media.put('files/main/2026/pic.jpg', Buffer.from('x'), 'image/jpeg');
    const answer = await api.call('GET', '/api/files/main/2026%2Fpic.jpg');
    expect(answer.json).toMatchObject({ statusCode: 400, issues: [{ path: 'path.file' }] });
  });

  it('are a redirect to where they are', async () => {
    await api.media.put('files/main/2026/pic.jpg', Buffer.from('x'), 'image/jpeg');
    const answer = await api.call('GET', '/api/files/main/2026/pic.jpg');
    expect(answer.status, answer.text).toBe(302);
    expect(answer.headers.location).toMatch(/^data:image\/jpeg/);
  });

  it('that do not exist are refused in WAHA’s form', async () => {
    const answer = await api.call('GET', '/api/files/main/nothing.jpg');
    expect(answer.status).toBe(404);
    expect(answer.json).toMatchObject({ error: { code: 404, key: 'FILE_NOT_FOUND', message: 'File not found' } });
  });

  it.each(['%2e%2e/secret', '..%2fother%2fpic.jpg', '.hidden', 'a//b', 'a%5cb', 'a%00', '%252e%252e/x'])(
    'cannot be reached by %s',
    async (path) => {
      await api.media.put('files/other/pic.jpg', Buffer.from('x'), 'image/jpeg');
      const answer = await api.call('GET', `/api/files/main/${path}`);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    },
  );
});
