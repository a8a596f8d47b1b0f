import { untried } from '#functions/webhook-dispatcher/tried-event.ts';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import { webhookEndpoints } from '#shared/contracts/webhooks.ts';
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
  /** Of a webhook; one of the same URL has the same id in every session. */
  readonly endpoint: string;
  readonly eventId: string;
}

export const SESSION = 'other';
const PHONE = '4915199999999';
const CHAT = `${PHONE}@c.us`;
const FILE = 'photo.jpg';
/** Milliseconds since 1970. */
const FAR = 8_000_000_000_000;
/** A stranger's session may have one of the same address. */
export const SHARED_WEBHOOK = { url: 'https://receiver.test/', events: ['*'] };

/** A session with an account, a QR code, a chat, a message, a job, media, a key and a webhook, full of canaries. @param event that it has logged */
export async function furnishOther(api: TestApi, event: EventEnvelope): Promise<OtherIds> {
  const config = { metadata: { note: CANARY }, webhooks: [{ ...SHARED_WEBHOOK, hmac: { key: CANARY } }] };
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
  const endpoint = await furnishWebhook(api, event);
  const names = { session: SESSION, chatId: CHAT, phone: PHONE, file: FILE, eventId: event.id };
  return { ...names, messageId: id, jobId: _data.jobId, keyId, endpoint };
}

/** An event in the log whose delivery has failed and waits; its endpoint rests until the next try. */
async function furnishWebhook(api: TestApi, event: EventEnvelope): Promise<string> {
  const endpoint = webhookEndpoints([SHARED_WEBHOOK], undefined)[0]?.id ?? '';
  await api.eventLog.append([event]);
  const row = await api.webhooks.get(SESSION, endpoint);
  if (row === undefined) throw new Error('the other session has no webhook');
  const last = { at: 1, outcome: 'transient', reason: `${CANARY} of a receiver`, eventId: event.id } as const;
  await api.webhooks.setAside(row, [{ ...untried(event, 1, { chatId: `${CANARY} of a chat` }, 1), attempts: 1, last }]);
  await api.webhooks.advance(row, { failures: 1, failed: 1, nextTryAt: FAR, last });
  return endpoint;
}

/** Everything of the other session, to be compared before and after. */
export async function stateOfOther(api: TestApi, ids: OtherIds): Promise<unknown> {
  const { session, jobId, endpoint } = ids;
  const admin = async (url: string) => (await api.call('GET', url, { key: { isAdmin: true } })).json;
  const webhook = await api.webhooks.get(session, endpoint);
  return {
    row: await api.sessions.get(session),
    job: await api.jobs.get(session, jobId),
    jobs: await admin(`/api/${session}/jobs?limit=100`),
    messages: await admin(`/api/${session}/chats/all/messages?limit=100`),
    chats: await admin(`/api/${session}/chats`),
    keys: await admin(`/api/keys?session=${session}`),
    file: await api.media.exists(`files/${session}/${ids.file}`),
    webhooks: await api.webhooks.list(session),
    deliveries: webhook && (await api.webhooks.deliveries(webhook, { limit: 100, after: 0 })),
    deliveriesShown: await admin(`/api/${session}/webhooks/deliveries?endpoint=${endpoint}`),
    events: await api.eventLog.read(session, 0, 100),
    wakes: [...api.wakes, ...api.timers].filter((wake) => wake.session === session).length,
    queued: api.queued.filter(({ message }) => message.session === session).length,
  };
}
