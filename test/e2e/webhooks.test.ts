import { createHmac, randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { until } from '#localstack/demo/until.ts';
import { webhookDeliverySchema, webhookStateSchema } from '#shared/contracts/api/webhook-bodies.ts';
import { send } from '#test/support/api-reads.ts';
import { type RunningPlatform, runPlatform, untilStatus } from '#test/support/running-platform.ts';
import { addContact, type SimulatedContact } from '#test/support/simulated-contact.ts';
import { isAbout, isMessage, type ReceivedPost, WebhookReceiver } from '#test/support/webhook-receiver.ts';

const SESSION = 'hooked';
/** A wake-up that was in somebody's hand at a restart comes again after half a minute. */
const LONG_MS = 120_000;
const HMAC_KEY = 'my-secret-key';
const secret = () => `whsec_${randomBytes(32).toString('base64')}`;
const SECRETS = [secret(), secret()];

let running: RunningPlatform;
let receiver: WebhookReceiver;
let own: string;
let ada: SimulatedContact;
let bob: SimulatedContact;

beforeAll(async () => {
  running = await runPlatform({ functionEnv: { WEBHOOK_ALLOW_PRIVATE_HOSTS: '127.0.0.1' } });
  receiver = await WebhookReceiver.start();
  own = await running.pair(SESSION);
  ada = await addContact(running, 'Ada');
  bob = await addContact(running, 'Bob');
});
afterAll(async () => {
  await running?.stop();
  await receiver?.down();
});
beforeEach(() => {
  receiver.answer = () => ({ status: 200 });
});

const configure = (...webhooks: readonly object[]) =>
  running.api.raw('PUT', `/api/sessions/${SESSION}`, { config: { webhooks } });
const webhook = async () => {
  const [first] = z.array(webhookStateSchema).parse(await running.api.get(`/api/${SESSION}/webhooks`));
  if (first === undefined) throw new Error('There is no webhook');
  return first;
};
const hook = (more: object = {}) => ({ url: receiver.url, events: ['message'], ...more });

describe('a delivery', () => {
  it('is signed in WAHA’s way and in the standard one, with both secrets', async () => {
    await configure(
      hook({ hmac: { key: HMAC_KEY }, secrets: SECRETS, customHeaders: [{ name: 'X-Tenant', value: '7' }] }),
    );
    const id = await ada.send(own, { text: 'Grüße 🌍' });
    const { headers, raw, event } = await receiver.message(id);
    expect(event).toMatchObject({
      event: 'message',
      session: SESSION,
      payload: { body: 'Grüße 🌍', from: ada.chatId },
    });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-webhook-hmac': createHmac('sha512', HMAC_KEY).update(raw).digest('hex'),
      'x-webhook-hmac-algorithm': 'sha512',
      'x-webhook-request-id': expect.stringMatching(/^[0-9A-Z]{26}$/),
      'x-webhook-timestamp': expect.stringMatching(/^\d{13}$/),
      'webhook-id': event.id,
      'x-tenant': '7',
    });
    for (const one of SECRETS) expect(new Webhook(one).verify(raw, { ...headers })).toMatchObject({ id: event.id });
    expect(() => new Webhook(secret()).verify(raw, { ...headers })).toThrow();
  });

  it('comes for everything that is asked for, and for nothing else', async () => {
    await configure(hook({ events: ['message.any', 'session.status'], ordered: true }));
    await running.api.post(`/api/sessions/${SESSION}/restart`);
    const id = await ada.send(own, { text: 'Any' });
    await receiver.post('message.any', ({ event }) => event.event === 'message.any' && isAbout(event, id));
    // In order: whatever was to come of the first is there when the second is.
    const next = await ada.send(own, { text: 'Next' });
    await receiver.post('the next message.any', ({ event }) => event.event === 'message.any' && isAbout(event, next));
    expect(receiver.posts.filter(({ event }) => event.event === 'message' && isAbout(event, id))).toEqual([]);
    await receiver.post('the restart', ({ event }) => event.event === 'session.status');
  });

  it('does not follow redirects', async () => {
    const other = await WebhookReceiver.start();
    try {
      await configure(hook());
      receiver.answer = () => ({ status: 307, headers: { location: other.url } });
      const id = await ada.send(own, { text: 'Elsewhere' });
      await receiver.post('a first try', ({ event }) => isMessage(event, id));
      receiver.answer = () => ({ status: 200 });
      await receiver.message(id);
      expect(other.posts).toEqual([]);
    } finally {
      await other.down();
    }
  });

  it('waits as long as Retry-After says', async () => {
    await configure(hook());
    receiver.answer = () => ({ status: 429, headers: { 'retry-after': '2' } });
    const id = await ada.send(own, { text: 'Slowly' });
    const first = await receiver.post('a first try', ({ event }) => isMessage(event, id));
    await until('a pause', async () => ((await webhook()).state === 'PAUSED' ? true : undefined));
    expect(await webhook()).toMatchObject({ last: { outcome: 'rate-limited', status: 429 } });
    receiver.answer = () => ({ status: 200 });
    const second = await receiver.message(id);
    const sentAt = ({ headers }: ReceivedPost) => Number(headers['x-webhook-timestamp']);
    expect(sentAt(second) - sentAt(first)).toBeGreaterThanOrEqual(2_000);
    expect(second.event.id).toBe(first.event.id);
    expect(second.raw).toBe(first.raw);
  });
});

describe('a receiver that is down', { timeout: LONG_MS }, () => {
  it('gets everything when it is up again, in order within a chat', async () => {
    await configure(hook({ ordered: true }));
    await receiver.down();
    const sent: string[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      for (const contact of [ada, bob]) sent.push(await contact.send(own, { text: `Down ${turn}` }));
    }
    await until('failures', async () => ((await webhook()).failures > 0 ? true : undefined));
    await receiver.up();
    for (const id of sent) await receiver.message(id);
    const order = receiver.events.flatMap((event) => sent.findIndex((id) => isMessage(event, id)));
    for (const parity of [0, 1]) {
      const ofChat = [...new Set(order.filter((at) => at >= 0 && at % 2 === parity))];
      expect(ofChat).toEqual(ofChat.toSorted((a, b) => a - b));
      expect(ofChat).toHaveLength(8);
    }
    // It is noted after the last of them has arrived.
    const isNoted = async () => ((await webhook()).failures === 0 ? true : undefined);
    await until('a state without failures', isNoted);
    expect(await webhook()).toMatchObject({ state: 'ACTIVE', last: { outcome: 'delivered', status: 200 } });
  });

  it('loses nothing when everything is stopped meanwhile and started again', async () => {
    await configure(hook());
    await receiver.down();
    const before = await ada.send(own, { text: 'Before' });
    await until('a failure', async () => ((await webhook()).failures > 0 ? true : undefined));
    const restarting = running.restart();
    const during = await ada.send(own, { text: 'During' });
    running = await restarting;
    await receiver.up();
    await receiver.message(before);
    await receiver.message(during);
  });
});

describe('a message of our own', { timeout: LONG_MS }, () => {
  it('is in the trace of whoever asked for it, and its acks too when a later host hears of them', async () => {
    await configure(hook({ events: ['message.any', 'message.ack'] }));
    const trace = randomBytes(16).toString('hex');
    const body = { session: SESSION, chatId: ada.chatId, text: 'Follow me' };
    const { bareId } = await send(running.api, 'sendText', body, { traceparent: `00-${trace}-${'1'.repeat(16)}-00` });
    const message = await receiver.post('the message', ({ event }) => isAbout(event, bareId));
    expect(message.headers.traceparent).toMatch(new RegExp(`^00-${trace}-(?!1{16})[0-9a-f]{16}-00$`));
    running = await running.restart();
    await untilStatus(running.api, SESSION, 'WORKING');
    await ada.read(own);
    const read = await receiver.post(
      'that it was read',
      ({ event }) => event.event === 'message.ack' && isAbout(event, bareId) && event.payload.ack === 3,
    );
    expect(read.headers.traceparent).toBe(message.headers.traceparent);
    expect(read.event.traceparent).toBe(message.headers.traceparent);
  });
});

describe('a receiver that is gone', { timeout: LONG_MS }, () => {
  it('gets nothing after 410, until the configuration is written again', async () => {
    await configure(hook());
    receiver.answer = () => ({ status: 410 });
    const refused = await ada.send(own, { text: 'Gone' });
    await receiver.post('the refused one', ({ event }) => isMessage(event, refused));
    await until('disabled', async () => ((await webhook()).state === 'DISABLED' ? true : undefined));
    expect(await webhook()).toMatchObject({ disabledReason: 'gone', last: { outcome: 'gone', status: 410 } });
    const missed = await ada.send(own, { text: 'Missed' });
    receiver.answer = () => ({ status: 200 });
    await configure(hook());
    await receiver.message(missed);
    await receiver.message(refused);
  });
});

describe('a replay', () => {
  it('delivers a time range once more, and single events', async () => {
    await configure(hook());
    const from = Date.now();
    const sent = [await ada.send(own, { text: 'One' }), await bob.send(own, { text: 'Two' })];
    for (const id of sent) await receiver.message(id);
    const { id: endpoint } = await webhook();
    const times = (id: string) => receiver.events.filter((event) => isMessage(event, id)).length;
    const answer = await running.api.post(`/api/${SESSION}/webhooks/replay`, { endpoint, from });
    expect(answer).toEqual({ replayed: 2, after: null });
    await until('both again', async () => (sent.every((id) => times(id) === 2) ? true : undefined));
    const event = receiver.events.find((one) => isMessage(one, sent[0] ?? ''))?.id;
    await running.api.post(`/api/${SESSION}/webhooks/replay`, { endpoint, events: [event] });
    await until('one again', async () => (times(sent[0] ?? '') === 3 ? true : undefined));
    expect(times(sent[1] ?? '')).toBe(2);
  });

  it('delivers what has failed for good', async () => {
    await configure(hook({ retries: { policy: 'constant', delaySeconds: 1, attempts: 1 } }));
    receiver.answer = () => ({ status: 500 });
    const id = await ada.send(own, { text: 'Failing' });
    const { id: endpoint } = await webhook();
    const path = `/api/${SESSION}/webhooks/deliveries?endpoint=${endpoint}&state=FAILED`;
    const [failed] = await until('a failed delivery', async () => {
      const deliveries = z.array(webhookDeliverySchema).parse(await running.api.get(path));
      return deliveries.length > 0 ? deliveries : undefined;
    });
    expect(failed).toMatchObject({ event: 'message', chatId: ada.chatId, attempts: 2, last: { status: 500 } });
    receiver.answer = () => ({ status: 200 });
    await running.api.post(`/api/${SESSION}/webhooks/replay`, { endpoint, events: [failed?.eventId] });
    await receiver.message(id);
    await until('none left', async () => ((await running.api.get(path)) as unknown[]).length === 0 || undefined);
  });
});

describe('a change of the configuration', () => {
  it('moves deliveries to the new receiver, from then on', async () => {
    const other = await WebhookReceiver.start();
    try {
      await configure(hook());
      const before = await ada.send(own, { text: 'To the first' });
      await receiver.message(before);
      await configure({ url: other.url, events: ['message'] });
      const after = await ada.send(own, { text: 'To the second' });
      await other.message(after);
      expect(receiver.posts.filter(({ event }) => isMessage(event, after))).toEqual([]);
      expect(other.posts.filter(({ event }) => isMessage(event, before))).toEqual([]);
    } finally {
      await other.down();
    }
  });
});

describe('a filter', () => {
  it('lets pass what mentions the account in a group, with a prefix', async () => {
    await configure(hook({ filter: { groupsOnlyWhenAddressed: true, textPattern: '^!\\w+' } }));
    const { id: group } = z.object({ id: z.string() }).parse(
      await running.whatsapp.post('/admin/groups', {
        owner: ada.phone,
        subject: 'Bots',
        participants: [own, bob.phone],
      }),
    );
    const passed = [
      await ada.send(group, { text: '!help', mentions: [`${own}@s.whatsapp.net`] }),
      await ada.send(own, { text: '!ping' }),
    ];
    const stopped = [
      await ada.send(group, { text: '!help' }),
      await ada.send(group, { text: 'help', mentions: [`${own}@s.whatsapp.net`] }),
      await ada.send(own, { text: 'no command' }),
    ];
    const last = await ada.send(own, { text: '!last' });
    for (const id of [...passed, last]) await receiver.message(id);
    expect(receiver.posts.filter(({ event }) => stopped.some((id) => isMessage(event, id)))).toEqual([]);
  });

  it('stops what WhatsApp itself writes and what cannot be shown, which pass without it', async () => {
    const { phone: whatsapp } = await running.whatsapp.addContact({ phone: '0', name: 'WhatsApp' });
    const sendBoth = async () => [
      await ada.send(own, { raw: { orderMessage: { orderId: '1', message: 'Two, please' } } }),
      (await running.whatsapp.send(whatsapp, { to: own, text: 'There is a new feature' })).id,
    ];
    await configure(hook());
    for (const id of await sendBoth()) await receiver.message(id);
    await configure(hook({ filter: { skipSystem: true, skipUnsupported: true } }));
    const stopped = await sendBoth();
    await receiver.message(await ada.send(own, { text: 'Something that can be shown' }));
    expect(receiver.posts.filter(({ event }) => stopped.some((id) => isMessage(event, id)))).toEqual([]);
  });
});
