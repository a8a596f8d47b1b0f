import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { sentMessageSchema } from '#shared/contracts/api/bodies.ts';
import type { WaMessage } from '#shared/contracts/message.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { messageIdForJob } from '#shared/domain/message-id.ts';
import { mp4, oggOpus, PIXEL } from '#test/support/media-samples.ts';
import { TestApi } from '../test-support/test-api.ts';

const CHAT = '491511234567@c.us';
const text = (extra: object = {}) => ({ session: 'main', chatId: CHAT, text: 'Hi', ...extra });
const PNG = Buffer.from(PIXEL, 'base64');

async function api(config = {}): Promise<TestApi> {
  const created = new TestApi(config);
  await created.session('main', {
    status: 'WORKING',
    me: { id: '490@c.us', pushName: null, lid: null, jid: null },
  });
  created.queued.length = 0;
  return created;
}

async function sentJob(api: TestApi, body: unknown) {
  const sent = sentMessageSchema.parse(body);
  const jobId = z.object({ jobId: z.string() }).parse(sent._data).jobId;
  const job = await api.jobs.get('main', jobId);
  if (job === undefined) throw new Error('no job');
  return { sent, job };
}

function known(id: string, extra: Partial<WaMessage> = {}): WaMessage {
  return {
    id: `false_${CHAT}_${id}`,
    timestamp: Math.floor(Date.now() / 1000) - 10,
    from: CHAT,
    fromMe: false,
    source: 'app',
    to: '490@c.us',
    participant: null,
    body: 'earlier',
    hasMedia: false,
    media: null,
    ack: 2,
    ackName: 'DEVICE',
    vCards: [],
    _data: { content: 'CgVoZWxsbw==' },
    ...extra,
  };
}

describe('accepting a send', () => {
  it('refuses what is sent to WhatsApp itself, in whatever form it is named', async () => {
    const server = await api();
    for (const chatId of ['0@c.us', '0@s.whatsapp.net']) {
      const refused = await server.call('POST', '/api/sendText', { body: text({ chatId }) });
      expect([chatId, refused.status]).toEqual([chatId, 400]);
      expect(JSON.stringify(refused.json)).toContain('WhatsApp itself');
    }
    expect(server.queued).toEqual([]);
  });

  it('tells of one that waits until when, and what for, as long as it does', async () => {
    const server = await api();
    const { job } = await sentJob(server, (await server.call('POST', '/api/sendText', { body: text() })).json);
    const view = async () => (await server.call('GET', `/api/main/jobs/${job.jobId}`)).json;
    expect(await view()).toMatchObject({ state: 'QUEUED', notBefore: null, waitsFor: null });
    await server.jobs.defer('main', job.jobId, 1, { notBefore: 1_700_000_000_000, waitsFor: 'gap' });
    expect(await view()).toMatchObject({ state: 'QUEUED', notBefore: 1_700_000_000_000, waitsFor: 'gap' });
    await server.jobs.advance('main', job.jobId, 1, { state: 'SENT' });
    expect(await view()).toMatchObject({ state: 'SENT', notBefore: null, waitsFor: null });
  });

  it('answers with the id that the message will have', async () => {
    const server = await api();
    const answer = await server.call('POST', '/api/sendText', { body: text({ mentions: ['all', '491511234568'] }) });
    const { sent, job } = await sentJob(server, answer.json);
    expect(answer.status).toBe(201);
    expect(job).toMatchObject({ state: 'QUEUED', messageId: messageIdForJob('main', job.jobId) });
    expect(job.command).toEqual({
      type: 'sendText',
      chatId: CHAT,
      text: 'Hi',
      mentions: ['all', '491511234568@c.us'],
    });
    expect(job.expiresAt - job.createdAt).toBe(86_400_000);
    expect(sent).toMatchObject({
      id: `true_${CHAT}_${job.messageId}`,
      from: '490@c.us',
      source: 'api',
      timestamp: Math.floor(job.createdAt / 1000),
      key: { id: job.messageId, remoteJid: '491511234567@s.whatsapp.net', fromMe: true },
    });
    expect(server.queued).toEqual([
      {
        shard: expect.any(String),
        message: { kind: 'job', session: 'main', jobId: job.jobId },
        lane: 'sends',
        deduplicationId: job.jobId,
      },
    ]);
  });

  it.each(['STOPPED', 'STARTING', 'SCAN_QR_CODE', 'FAILED'] as const)('accepts it in %s', async (status) => {
    const server = new TestApi();
    await server.session('main', { status });
    expect((await server.call('POST', '/api/sendText', { body: text() })).status).toBe(201);
  });

  it('takes an id of the client', async () => {
    const server = await api();
    const answer = await server.call('POST', '/api/sendText', { body: text({ id: '3EB0123456789ABCDEF0' }) });
    expect((await sentJob(server, answer.json)).job.messageId).toBe('3EB0123456789ABCDEF0');
  });

  it('serves old clients', async () => {
    const server = await api();
    const got = await server.call('GET', '/api/sendText?phone=491511234567&text=Hi&session=main');
    expect(got.status).toBe(200);
    expect((await sentJob(server, got.json)).job.command).toMatchObject({ type: 'sendText', text: 'Hi' });
    const reply = await server.call('POST', '/api/reply', { body: text({ reply_to: `false_${CHAT}_3EB0AAAA` }) });
    expect((await sentJob(server, reply.json)).job.command).toMatchObject({ quoted: { id: '3EB0AAAA' } });
  });

  it('waits for the server’s ack when asked, and tells why a send has failed', async () => {
    const server = await api();
    const outcomes = [
      { state: 'SENT' as const },
      { state: 'FAILED' as const, error: { code: 'nack-463', message: 'No' } },
    ];
    server.onQueued = async (message) => {
      const outcome = outcomes.shift();
      if (message.kind === 'job' && outcome) await server.jobs.advance('main', message.jobId, 1, outcome);
    };
    const headers = { Prefer: 'wait=5' };
    const sent = await server.call('POST', '/api/sendText', { body: text(), headers });
    expect(sent.json).toMatchObject({ ack: 1, ackName: 'SERVER' });
    const failed = await server.call('POST', '/api/sendText', { body: text(), headers });
    expect(failed.status).toBe(422);
    expect(failed.json).toMatchObject({ code: 'engine', reason: 'nack-463', message: 'No' });
  });
});

describe('when the queue fails', () => {
  it('cancels the job and says that it will not be sent', async () => {
    const server = await api();
    server.onQueued = async () => {
      throw new DependencyError('queue is down');
    };
    const answer = await server.call('POST', '/api/sendText', { body: text() });
    expect(answer.status).toBe(503);
    const { job } = z.object({ job: z.object({ id: z.string(), certain: z.boolean() }) }).parse(answer.json);
    expect(job.certain).toBe(true);
    expect(await server.jobs.get('main', job.id)).toMatchObject({ state: 'CANCELLED' });
  });

  it('counts the job as accepted when a host was faster', async () => {
    const server = await api();
    server.onQueued = async (message) => {
      if (message.kind !== 'job') return;
      await server.jobs.prepare('main', message.jobId, 3, { content: 'AAAA' });
      throw new DependencyError('the answer was lost');
    };
    const answer = await server.call('POST', '/api/sendText', { body: text() });
    expect(answer.status).toBe(201);
    expect((await sentJob(server, answer.json)).job.state).toBe('PREPARED');
  });

  it('says that it does not know when the row cannot be read either', async () => {
    const server = await api();
    server.onQueued = async () => {
      server.jobs.advance = async () => {
        throw new DependencyError('table is down');
      };
      throw new DependencyError('queue is down');
    };
    const answer = await server.call('POST', '/api/sendText', { body: text() });
    expect(answer.json).toMatchObject({ code: 'dependency', job: { certain: false } });
  });
});

describe('Idempotency-Key', () => {
  const headers = { 'Idempotency-Key': 'order-17' };

  it('gives the same answer to the same request, once on the queue', async () => {
    const server = await api();
    const image = { session: 'main', chatId: CHAT, file: { data: PNG.toString('base64') }, caption: 'x' };
    const first = await server.call('POST', '/api/sendImage', { body: image, headers });
    const second = await server.call('POST', '/api/sendImage', { body: image, headers });
    expect(first.status).toBe(201);
    expect(second.status).toBe(201);
    expect(second.json).toEqual(first.json);
    expect(new Set(server.queued.map((entry) => entry.deduplicationId)).size).toBe(1);
  });

  it.each([
    ['another text', { text: 'Ho' }],
    ['another chat', { chatId: '491511234568@c.us' }],
    ['another id', { id: '3EB0AAAAAAAA' }],
    ['another quote', { reply_to: '3EB0BBBBBBBB' }],
  ])('refuses %s with 409', async (_what, change) => {
    const server = await api();
    await server.call('POST', '/api/sendText', { body: text(), headers });
    const other = await server.call('POST', '/api/sendText', { body: text(change), headers });
    expect(other.status, other.text).toBe(409);
    expect(other.json).toMatchObject({ code: 'conflict', error: 'Conflict' });
  });

  it('refuses other media without touching what was accepted', async () => {
    const server = await api();
    const image = (data: Buffer) => ({ session: 'main', chatId: CHAT, file: { data: data.toString('base64') } });
    const first = await server.call('POST', '/api/sendImage', { body: image(PNG), headers });
    const other = await server.call('POST', '/api/sendImage', { body: image(Buffer.concat([PNG, PNG])), headers });
    expect(other.status).toBe(409);
    const { job } = await sentJob(server, first.json);
    if (job.command.type !== 'sendImage' || job.command.media.kind !== 'object') throw new Error('no object');
    expect(Buffer.from((await server.media.get(job.command.media.key)).body)).toEqual(PNG);
  });

  it('does not count what the client was told had failed', async () => {
    const server = await api();
    server.onQueued = async () => {
      throw new DependencyError('queue is down');
    };
    expect((await server.call('POST', '/api/sendText', { body: text(), headers })).status).toBe(503);
    server.onQueued = async () => {};
    const again = await server.call('POST', '/api/sendText', { body: text(), headers });
    expect(again.status).toBe(201);
    expect((await sentJob(server, again.json)).job.state).toBe('QUEUED');
  });

  it('is the session’s own', async () => {
    const server = await api();
    await server.session('other');
    const one = await server.call('POST', '/api/sendText', { body: text(), headers });
    const two = await server.call('POST', '/api/sendText', { body: text({ session: 'other', text: 'Ho' }), headers });
    expect([one.status, two.status]).toEqual([201, 201]);
  });

  it('must be usable', async () => {
    const server = await api();
    const answer = await server.call('POST', '/api/sendText', { body: text(), headers: { 'idempotency-key': 'a b' } });
    expect(answer.json).toMatchObject({ issues: [{ path: 'headers.idempotency-key' }] });
  });
});

describe('media', () => {
  it('is stored under the job, with its type found out', async () => {
    const server = await api();
    const body = { session: 'main', chatId: CHAT, file: { data: PNG.toString('base64'), filename: 'a.png' } };
    const { job } = await sentJob(server, (await server.call('POST', '/api/sendImage', { body })).json);
    if (job.command.type !== 'sendImage' || job.command.media.kind !== 'object') throw new Error('no object');
    const hash = createHash('sha256').update(PNG).digest('hex').slice(0, 16);
    expect(job.command.media).toEqual({
      kind: 'object',
      key: `out/main/${job.jobId}/${hash}`,
      mimetype: 'image/png',
      filename: 'a.png',
    });
    expect(await server.media.get(job.command.media.key)).toMatchObject({ mimetype: 'image/png' });
  });

  it('by URL may come from any port of a host that the operator lets be private', async () => {
    const server = await api({ mediaPrivateHosts: new Set(['files.test']) });
    const answer = async (url: string) =>
      (await server.call('POST', '/api/sendImage', { body: { session: 'main', chatId: CHAT, file: { url } } })).status;
    expect(await answer('http://files.test:9000/a.png')).toBe(201);
    expect(await answer('http://other.test:9000/a.png')).toBe(400);
    expect(await answer('http://other.test/a.png')).toBe(201);
  });

  it('by URL stays a URL, and voice has a type of its own', async () => {
    const server = await api();
    const file = { url: 'https://example.com/a.ogg' };
    const byUrl = await server.call('POST', '/api/sendVoice', { body: { session: 'main', chatId: CHAT, file } });
    expect((await sentJob(server, byUrl.json)).job.command).toMatchObject({ media: { kind: 'url', url: file.url } });
    const inline = { session: 'main', chatId: CHAT, file: { data: oggOpus().toString('base64') }, convert: true };
    const voice = await server.call('POST', '/api/sendVoice', { body: inline });
    expect((await sentJob(server, voice.json)).job.command).toMatchObject({
      media: { mimetype: 'audio/ogg; codecs=opus' },
    });
  });

  it.each([
    ['/api/sendVoice', 'audio/mpeg', true, 422],
    ['/api/sendVoice', 'audio/mpeg', false, 201],
    ['/api/sendVoice', 'Audio/OGG; codecs=opus', true, 201],
    ['/api/sendVideo', 'video/x-matroska', true, 422],
    ['/api/sendVideo', 'video/mp4', true, 201],
  ])('%s of %s with convert %s is answered %i', async (path, mimetype, convert, status) => {
    const server = await api();
    const data = path === '/api/sendVoice' ? oggOpus() : mp4();
    const file = { mimetype, data: data.toString('base64') };
    const answer = await server.call('POST', path, { body: { session: 'main', chatId: CHAT, file, convert } });
    expect(answer.status, answer.text).toBe(status);
    if (status === 422) expect(answer.json).toMatchObject({ code: 'not-supported' });
  });

  it.each<[string, { data?: Buffer; url?: string; mimetype?: string }, string, string]>([
    ['sendImage', { data: oggOpus() }, 'file.data', 'and is audio/ogg; codecs=opus'],
    ['sendImage', { data: PNG, mimetype: 'text/html' }, 'file.mimetype', 'not text/html'],
    ['sendImage', { url: 'https://example.com/', mimetype: 'text/html' }, 'file.mimetype', 'not text/html'],
    ['sendVoice', { data: mp4() }, 'file.data', 'must be audio/ogg; codecs=opus, and is video/mp4'],
    ['sendVoice', { data: Buffer.from('<html>') }, 'file.data', 'and its content is not'],
    ['sendVideo', { data: PNG, mimetype: 'video/mp4' }, 'file.data', 'must be video/mp4, and is image/png'],
  ])(
    'that %s does not take is refused, and nothing is stored: %#',
    async (operation, { data, ...file }, path, rule) => {
      const server = await api();
      const body = { session: 'main', chatId: CHAT, file: { ...file, ...(data && { data: data.toString('base64') }) } };
      const answer = await server.call('POST', `/api/${operation}`, { body });
      expect(answer.json).toMatchObject({
        statusCode: 400,
        issues: [{ path, message: expect.stringContaining(rule) }],
      });
      expect(server.queued).toEqual([]);
    },
  );

  it('of any type goes as a document, as the client says or as it is found', async () => {
    const server = await api();
    const typeOf = async (file: object) => {
      const answer = await server.call('POST', '/api/sendFile', { body: { session: 'main', chatId: CHAT, file } });
      const { command } = (await sentJob(server, answer.json)).job;
      return command.type === 'sendFile' ? command.media.mimetype : undefined;
    };
    const data = PNG.toString('base64');
    expect(await typeOf({ data })).toBe('image/png');
    expect(await typeOf({ data, mimetype: 'text/html' })).toBe('text/html');
    expect(await typeOf({ data: 'AAAA' })).toBe('application/octet-stream');
  });

  it('beyond what a request can hold is refused with the way out', async () => {
    const server = await api();
    const file = { mimetype: 'image/png', data: 'A'.repeat(5_900_000) };
    const answer = await server.call('POST', '/api/sendImage', { body: { session: 'main', chatId: CHAT, file } });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      issues: [{ path: 'file.data', message: 'must not be larger than 3300000 bytes; larger media goes by url' }],
    });
  });
});

describe('other kinds', () => {
  it('turns fields into a vCard that cannot be broken out of', async () => {
    const server = await api();
    const contacts = [
      { fullName: 'A; B\nTEL:1', phoneNumber: '+49 151', organization: 'O, P', vcard: null },
      { vcard: 'BEGIN:VCARD\nVERSION:3.0\nFN;CHARSET=UTF-8:Jane\nEND:VCARD' },
    ];
    const body = { session: 'main', chatId: CHAT, contacts };
    const { job } = await sentJob(server, (await server.call('POST', '/api/sendContactVcard', { body })).json);
    if (job.command.type !== 'sendContactVcard') throw new Error('another command');
    expect(job.command.contacts[0]?.vcard.split('\n')).toEqual([
      'BEGIN:VCARD',
      'VERSION:3.0',
      'FN:A\\; B\\nTEL:1',
      'ORG:O\\, P;',
      'TEL;type=CELL;type=VOICE;waid=49151:+49 151',
      'END:VCARD',
    ]);
    expect(job.command.contacts[1]?.displayName).toBe('Jane');
  });

  it('sends polls and places', async () => {
    const server = await api();
    const poll = { name: 'Tea?', options: ['yes', 'no'], multipleAnswers: true };
    const polled = await server.call('POST', '/api/sendPoll', { body: { session: 'main', chatId: CHAT, poll } });
    expect((await sentJob(server, polled.json)).job.command).toMatchObject({ type: 'sendPoll', ...poll });
    const place = { session: 'main', chatId: CHAT, latitude: '52.5', longitude: 13.4, title: 'Here' };
    const placed = await server.call('POST', '/api/sendLocation', { body: place });
    expect((await sentJob(server, placed.json)).job.command).toMatchObject({ latitude: 52.5, longitude: 13.4 });
  });
});

describe('references', () => {
  it('quotes what the read model knows, and also what it does not', async () => {
    const server = await api();
    await server.messages.add('main', known('3EB0KNOWN0'), 1);
    const quote = async (id: string) => {
      const answer = await server.call('POST', '/api/sendText', { body: text({ reply_to: id }) });
      const { command } = (await sentJob(server, answer.json)).job;
      return command.type === 'sendText' ? command.quoted : undefined;
    };
    expect(await quote('3EB0KNOWN0')).toEqual({
      chatId: CHAT,
      id: '3EB0KNOWN0',
      fromMe: false,
      content: 'CgVoZWxsbw==',
    });
    expect(await quote('3EB0NOBODY')).toEqual({ chatId: CHAT, id: '3EB0NOBODY', fromMe: false });
    expect(await quote(`true_${CHAT}_3EB0NOBODY`)).toEqual({ chatId: CHAT, id: '3EB0NOBODY', fromMe: true });
  });

  it('quotes of several messages with one id that of the chat', async () => {
    const server = await api();
    const stranger = { ...known('3EB0KNOWN0'), id: 'false_491511234569@c.us_3EB0KNOWN0', from: '491511234569@c.us' };
    await server.messages.add('main', stranger, 1);
    await server.messages.add('main', known('3EB0KNOWN0'), 2);
    for (const id of ['3EB0KNOWN0', `false_${CHAT}_3EB0KNOWN0`]) {
      const answer = await server.call('POST', '/api/sendText', { body: text({ reply_to: id }) });
      expect((await sentJob(server, answer.json)).job.command).toMatchObject({ quoted: { chatId: CHAT } });
    }
  });

  it('forwards what it knows and refuses what it does not', async () => {
    const server = await api();
    await server.messages.add('main', known('3EB0KNOWN0'), 1);
    const forward = (messageId: string) =>
      server.call('POST', '/api/forwardMessage', { body: { session: 'main', chatId: '491511234569', messageId } });
    const { job } = await sentJob(server, (await forward('3EB0KNOWN0')).json);
    expect(job.command).toMatchObject({ chatId: '491511234569@c.us', message: { content: 'CgVoZWxsbw==' } });
    expect((await forward(`false_${CHAT}_3EB0NOBODY`)).status).toBe(404);
  });

  it('reacts in the chat that the message is in', async () => {
    const server = await api();
    await server.messages.add('main', known('3EB0KNOWN0'), 1);
    const react = (messageId: string) =>
      server.call('PUT', '/api/reaction', { body: { session: 'main', messageId, reaction: '👍' } });
    const answer = await react('3EB0KNOWN0');
    expect(answer.status).toBe(200);
    expect((await sentJob(server, answer.json)).job.command).toEqual({
      type: 'sendReaction',
      chatId: CHAT,
      message: { chatId: CHAT, id: '3EB0KNOWN0', fromMe: false },
      reaction: '👍',
    });
    expect((await react('3EB0NOBODY')).status).toBe(404);
    expect((await react(`true_${CHAT}_3EB0NOBODY`)).status).toBe(200);
  });
});
