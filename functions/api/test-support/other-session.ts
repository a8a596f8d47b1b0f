import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import type { TestApi } from './test-api.ts';

/** Text that is in everything of the other session, and in no request. */
export const CANARY = 'canary';

/** What the other session's things are called: ids that a stranger may have learned or guessed. */
export interface OtherIds {
  readonly session: string;
  readonly chatId: string;
  readonly phone: string;
  readonly messageId: string;
  readonly jobId: string;
  readonly file: string;
  readonly keyId: string;
}

const SESSION = 'other';
const PHONE = '4915199999999';
const CHAT = `${PHONE}@c.us`;
const FILE = 'photo.jpg';

/** A session with an account, a QR code, a chat, a message, a job, media and a key, full of canaries. */
export async function furnishOther(api: TestApi): Promise<OtherIds> {
  const config = { metadata: { note: CANARY }, webhooks: [{ url: `https://${CANARY}.test/`, events: ['message'] }] };
  await api.call('POST', '/api/sessions', { body: { name: SESSION, config } });
  const { incarnation } = (await api.sessions.get(SESSION)) ?? {};
  if (incarnation === undefined) throw new Error('there is no other session');
  await api.sessions.report(SESSION, incarnation, 1, {
    status: 'WORKING',
    me: { id: '4915188888888@c.us', pushName: CANARY, lid: null, jid: null },
    qr: { value: CANARY, expiresAt: Date.now() + 3_600_000 },
  });
  const body = { session: SESSION, chatId: CHAT, text: `${CANARY} of a send` };
  const sent = await api.call('POST', '/api/sendText', { body });
  const {
    key: _key,
    _data,
    ...message
  } = sent.json as { key: unknown; _data: { jobId: string } } & Parameters<TestApi['messages']['add']>[1];
  await api.messages.add(SESSION, { ...message, from: CHAT, fromMe: false, body: `${CANARY} of a message` }, 1);
  const id = message.id.split('_')[2] ?? '';
  await api.chats.touch(SESSION, CHAT, { id, timestamp: 1, seq: 1 }, `${CANARY} of a chat`);
  await api.media.put(`files/${SESSION}/${FILE}`, Buffer.from(CANARY), 'image/jpeg');
  const made = await api.call('POST', '/api/keys', {
    key: { isAdmin: true },
    body: { session: SESSION, name: `${CANARY} of a key` },
  });
  const { id: keyId } = made.json as Pick<ApiKeyRow, 'id'>;
  return { session: SESSION, chatId: CHAT, phone: PHONE, messageId: id, jobId: _data.jobId, file: FILE, keyId };
}

/** Everything of the other session, to be compared before and after. */
export async function stateOfOther(api: TestApi, ids: OtherIds): Promise<unknown> {
  const { session, jobId } = ids;
  const admin = async (url: string) => (await api.call('GET', url, { key: { isAdmin: true } })).json;
  return {
    row: await api.sessions.get(session),
    job: await api.jobs.get(session, jobId),
    jobs: await admin(`/api/${session}/jobs?limit=100`),
    messages: await admin(`/api/${session}/chats/all/messages?limit=100`),
    chats: await admin(`/api/${session}/chats`),
    keys: await admin(`/api/keys?session=${session}`),
    file: await api.media.exists(`files/${session}/${ids.file}`),
    queued: api.queued.filter(({ message }) => message.session === session).length,
  };
}
