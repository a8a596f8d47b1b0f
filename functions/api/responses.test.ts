import { beforeAll, describe, expect, it } from 'vitest';
import { OPERATIONS } from '#shared/contracts/api/index.ts';
import { oggOpus, PIXEL } from '#test/support/media-samples.ts';
import { TestApi } from './test-support/test-api.ts';

const CHAT = '491511234567@c.us';
const api = new TestApi({ ownerWaitMs: 0 });

beforeAll(async () => {
  const me = { id: '490@c.us', pushName: 'Me', lid: null, jid: null };
  await api.session('main', { status: 'WORKING', me });
  await api.session('new', { status: 'SCAN_QR_CODE', qr: { value: '2@a,b,c,d', expiresAt: Date.now() + 60_000 } });
  const sent = await api.call('POST', '/api/sendText', { body: { session: 'main', chatId: CHAT, text: 'x' } });
  const {
    key: _key,
    from,
    ...message
  } = sent.json as { key: unknown; from: string } & Parameters<typeof api.messages.add>[1];
  await api.messages.add('main', { ...message, from }, 1);
  await api.chats.touch(
    'main',
    CHAT,
    { id: message.id.split('_')[2] ?? '', timestamp: message.timestamp, seq: 1 },
    'Ann',
  );
  api.onQueued = async (entry) => {
    if (entry.kind !== 'job') return;
    const result = { numberExists: true, chatId: CHAT, code: 'ABCD-EFGH' };
    const command = (await api.jobs.get(entry.session, entry.jobId))?.command.type;
    const isSend = command?.startsWith('send') && command !== 'sendSeen';
    if (!isSend) await api.jobs.advance(entry.session, entry.jobId, 1, { state: 'DONE', result });
  };
});

/** Answers are what the route table, and with it the OpenAPI document, says they are. */
describe('answers have the form of the route table', () => {
  const to = { session: 'main', chatId: CHAT };
  it.each<[string, string, string, unknown?]>([
    ['createSession', 'POST', '/api/sessions', { name: 'made' }],
    ['listSessions', 'GET', '/api/sessions?all=true'],
    ['getSession', 'GET', '/api/sessions/main'],
    ['getMe', 'GET', '/api/sessions/main/me'],
    ['restartSession', 'POST', '/api/sessions/made/restart'],
    ['listJobs', 'GET', '/api/main/jobs'],
    ['getQr', 'GET', '/api/new/auth/qr?format=raw'],
    ['requestCode', 'POST', '/api/new/auth/request-code', { phoneNumber: '491511234567' }],
    ['sendText', 'POST', '/api/sendText', { ...to, text: 'x', reply_to: '3EB0AAAAAA' }],
    ['sendImage', 'POST', '/api/sendImage', { ...to, file: { data: PIXEL } }],
    ['sendVoice', 'POST', '/api/sendVoice', { ...to, file: { data: oggOpus().toString('base64') } }],
    ['sendLocation', 'POST', '/api/sendLocation', { ...to, latitude: 1, longitude: 2 }],
    ['sendContactVcard', 'POST', '/api/sendContactVcard', { ...to, contacts: [{ vcard: 'BEGIN:VCARD' }] }],
    ['sendPoll', 'POST', '/api/sendPoll', { ...to, poll: { name: 'q', options: ['a', 'b'] } }],
    ['startTyping', 'POST', '/api/startTyping', to],
    ['newMessageId', 'GET', '/api/main/new-message-id'],
    ['checkExists', 'GET', '/api/contacts/check-exists?session=main&phone=491511234567'],
    ['listChats', 'GET', '/api/main/chats'],
    ['getChatsOverview', 'GET', '/api/main/chats/overview'],
    ['getChatMessages', 'GET', '/api/main/chats/all/messages'],
    ['createKey', 'POST', '/api/keys', { session: 'main', name: 'x', expiresAt: 8_000_000_000_000 }],
    ['createMediaKey', 'POST', '/api/keys/media', { session: 'main' }],
    ['createControlKey', 'POST', '/api/keys/control', { session: 'main' }],
    ['listKeys', 'GET', '/api/keys'],
    ['listAudit', 'GET', '/api/audit'],
    ['ping', 'GET', '/ping'],
    ['health', 'GET', '/health'],
    ['getServerVersion', 'GET', '/api/server/version'],
    ['getServerStatus', 'GET', '/api/server/status'],
  ])('%s', async (id, method, url, body) => {
    const operation = OPERATIONS.find((one) => one.id === id);
    const answer = await api.call(method, url, { key: { isAdmin: true }, ...(body === undefined ? {} : { body }) });
    expect(answer.status, answer.text).toBe(operation?.response.status);
    expect(answer.text).not.toBe('[]');
    expect(operation?.response.schema?.safeParse(answer.json).error).toBeUndefined();
  });
});
