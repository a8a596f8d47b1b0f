import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#localstack/demo/until.ts';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import { untilMessage } from '#test/support/api-reads.ts';
import { RecordedEvents } from '#test/support/recorded-events.ts';
import { type RunningPlatform, runPlatform } from '#test/support/running-platform.ts';
import { addContact, type SimulatedContact } from '#test/support/simulated-contact.ts';
import { StreamClient } from '#test/support/stream-client.ts';
import { isMessage, WebhookReceiver } from '#test/support/webhook-receiver.ts';

const SESSION = 'pictured';

let running: RunningPlatform;
let receiver: WebhookReceiver;
let recorded: RecordedEvents;
let stream: StreamClient;
let own: string;
let ada: SimulatedContact;

beforeAll(async () => {
  running = await runPlatform({ functionEnv: { WEBHOOK_ALLOW_PRIVATE_HOSTS: '127.0.0.1' } });
  receiver = await WebhookReceiver.start();
  recorded = await RecordedEvents.start(running.platform, 'recorder');
  own = await running.pair(SESSION);
  ada = await addContact(running, 'Ada');
  const webhooks = [{ url: receiver.url, events: ['message'] }];
  await running.api.raw('PUT', `/api/sessions/${SESSION}`, { config: { webhooks } });
  const opened = await StreamClient.open(running.platform.url, running.platform.apiKey, [['session', SESSION]]);
  if (typeof opened === 'number') throw new Error(`The stream was refused with ${opened}.`);
  stream = opened;
});
afterAll(async () => {
  stream?.cut();
  await running?.stop();
  await receiver?.down();
});

/** What is at the very address that an event or an answer names, for who has this key. */
const open = (url: string | null | undefined, key = running.platform.apiKey) =>
  fetch(url ?? '', { headers: { 'x-api-key': key } });
const bytesAt = async (url: string | null | undefined) => Buffer.from(await (await open(url)).arrayBuffer());
const sendPicture = async (bytes: Buffer) =>
  await ada.send(own, { image: { data: bytes.toString('base64'), mimetype: 'image/jpeg' } });

describe('a picture, at the address that is told of it', () => {
  const picture = randomBytes(2_000);
  let id: string;
  const onStream = () => until('the message', async () => stream.events.find((event) => isMessage(event, id)), 60_000);

  beforeAll(async () => {
    id = await sendPicture(picture);
  });

  it.each<[string, () => Promise<EventEnvelope>]>([
    ['a webhook', async () => (await receiver.message(id)).event],
    ['an event stream', onStream],
    ['EventBridge', () => recorded.next('message', (event) => isMessage(event, id))],
  ])('by %s, can be fetched with a key', async (_, told) => {
    const event = await told();
    if (event.event !== 'message') throw new Error(`${event.event} is no message`);
    const { media, mediaUrl } = event.payload;
    expect(mediaUrl).toBe(media?.url);
    expect((await bytesAt(media?.url)).equals(picture)).toBe(true);
    expect((await open(media?.url, 'wrong')).status).toBe(401);
  });

  it('by the API, is there also after the API has moved', async () => {
    await untilMessage(running.api, SESSION, ada.chatId, id);
    stream.cut();
    running = await running.restart();
    const { media } = await untilMessage(running.api, SESSION, ada.chatId, id);
    expect(media?.url?.startsWith(`${running.platform.url}/`)).toBe(true);
    expect((await bytesAt(media?.url)).equals(picture)).toBe(true);
    const later = await sendPicture(randomBytes(100));
    const { event } = await receiver.message(later);
    if (event.event !== 'message') throw new Error(`${event.event} is no message`);
    expect(event.payload.media?.url).toBe((await untilMessage(running.api, SESSION, ada.chatId, later)).media?.url);
  });
});
