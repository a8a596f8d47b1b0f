import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { until } from '#localstack/demo/until.ts';
import { chatSummarySchema } from '#shared/contracts/api/bodies.ts';
import { waMessageSchema } from '#shared/contracts/message.ts';
import { readMessages, send, untilMessage } from '#test/support/api-reads.ts';
import { RecordedEvents } from '#test/support/recorded-events.ts';
import { type RunningPlatform, runPlatform } from '#test/support/running-platform.ts';
import { addContact, complaints, NO_COMPLAINTS, SimulatedContact } from '#test/support/simulated-contact.ts';

const SESSION = 'receiver';

let running: RunningPlatform;
let events: RecordedEvents;
let own: string;
let ada: SimulatedContact;
let bob: SimulatedContact;

beforeAll(async () => {
  running = await runPlatform();
  events = await RecordedEvents.start(running.platform, 'recorder');
  own = await running.pair(SESSION);
  ada = await addContact(running, 'Ada');
  bob = await addContact(running, 'Bob');
});
afterAll(() => running?.stop());

const bare = (id: string) => id.split('_')[2] ?? id;
const messageEvent = (name: 'message' | 'message.any', id: string) =>
  events.next(name, ({ payload }) => bare(payload.id) === id);
const inChat = (id: string, contact = ada) => untilMessage(running.api, SESSION, contact.chatId, id);

describe('from a contact', () => {
  it('a text becomes both message events and is in the chat', async () => {
    const id = await ada.send(own, { text: 'Grüße 🌍' });
    const expected = {
      id: `false_${ada.chatId}_${id}`,
      from: ada.chatId,
      to: `${own}@c.us`,
      fromMe: false,
      source: 'app',
      body: 'Grüße 🌍',
      hasMedia: false,
      media: null,
    };
    const event = await messageEvent('message', id);
    expect(event).toMatchObject({ session: SESSION, engine: 'NOWEB', me: { id: `${own}@c.us` }, payload: expected });
    expect((await messageEvent('message.any', id)).payload).toMatchObject(expected);
    expect(await inChat(id)).toMatchObject(expected);
    const byId = await running.api.get(`/api/${SESSION}/chats/${ada.chatId}/messages/${expected.id}`);
    expect(waMessageSchema.parse(byId)).toMatchObject(expected);
  });

  it('a reply names what it replies to', async () => {
    const sent = await send(running.api, 'sendText', { session: SESSION, chatId: ada.chatId, text: 'Coming?' });
    await ada.received(sent.bareId);
    const id = await ada.send(own, { text: 'Yes', quoted: sent.bareId });
    expect((await inChat(id)).replyTo).toMatchObject({ body: 'Coming?' });
    expect((await inChat(id)).replyTo?.id).toContain(sent.bareId);
  });

  it('an image can be fetched, the same bytes, by those who have a key', async () => {
    const picture = await sharp({ create: { width: 90, height: 60, channels: 3, background: 'purple' } })
      .jpeg()
      .toBuffer();
    const image = { data: picture.toString('base64'), mimetype: 'image/jpeg', caption: 'Purple' };
    const id = await ada.send(own, { image });
    const { payload } = await messageEvent('message', id);
    expect(payload).toMatchObject({ body: 'Purple', hasMedia: true, media: { mimetype: 'image/jpeg', error: null } });
    const { media } = await inChat(id);
    const url = media?.url ?? '';
    expect(url).toMatch(new RegExp(`^${running.platform.url}/api/files/${SESSION}/`));
    const answer = await fetch(url, { headers: { 'x-api-key': running.platform.apiKey }, redirect: 'manual' });
    expect(answer.status).toBe(302);
    // The key goes to the API only: where the redirect leads, the address is the permission.
    const file = await fetch(answer.headers.get('location') ?? '');
    expect(file.status).toBe(200);
    expect(file.headers.get('content-type')).toBe('image/jpeg');
    expect(Buffer.from(await file.arrayBuffer()).equals(picture)).toBe(true);
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(401);
    const wrongKey = await fetch(url, { headers: { 'x-api-key': 'wrong' }, redirect: 'manual' });
    expect(wrongKey.status).toBe(401);
  });

  it('a larger image arrives whole', async () => {
    const bytes = randomBytes(1_500_000);
    const id = await ada.send(own, { image: { data: bytes.toString('base64'), mimetype: 'image/jpeg' } });
    const { media } = await inChat(id);
    const response = await fetch(media?.url ?? '', { headers: { 'x-api-key': running.platform.apiKey } });
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it('an image that WhatsApp has lost comes when the phone has it again, and stays', async () => {
    await running.whatsapp.post(`/admin/contacts/${own}/script`, { reupload: 'missing' });
    await running.whatsapp.post('/admin/faults', { kind: 'drop-media', count: 1 });
    const bytes = randomBytes(500);
    const id = await ada.send(own, { image: { data: bytes.toString('base64'), mimetype: 'image/jpeg' } });
    const lost = { url: null, error: 'neither WhatsApp nor the phone has the media any more' };
    expect((await messageEvent('message', id)).payload.media).toMatchObject(lost);
    expect((await inChat(id)).media).toMatchObject(lost);
    await running.whatsapp.post(`/admin/contacts/${own}/script`, {});
    const path = `/api/${SESSION}/chats/${ada.chatId}/messages/false_${ada.chatId}_${id}`;
    const { media } = waMessageSchema.parse(await running.api.get(`${path}?downloadMedia=true`));
    const response = await fetch(media?.url ?? '', { headers: { 'x-api-key': running.platform.apiKey } });
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    const { payload } = await events.next('message.media', (event) => bare(event.payload.id) === id);
    expect(payload).toMatchObject({ from: ada.chatId, media: { mimetype: 'image/jpeg', error: null } });
    const known = await untilMessage(running.api, SESSION, ada.chatId, id, (message) => message.media?.url !== null);
    expect(known.media).toEqual(media);
  });

  it('a location', async () => {
    const id = await ada.send(own, { location: { latitude: 48.137, longitude: 11.575, name: 'Marienplatz' } });
    const { payload } = await messageEvent('message', id);
    expect(payload.location).toMatchObject({ latitude: '48.137', longitude: '11.575', name: 'Marienplatz' });
    expect((await inChat(id)).location).toEqual(payload.location);
  });

  it('a reaction, and its removal', async () => {
    const sent = await send(running.api, 'sendText', { session: SESSION, chatId: ada.chatId, text: 'React!' });
    await ada.received(sent.bareId);
    for (const text of ['🙏', '']) {
      const id = await ada.send(own, { reaction: { id: sent.bareId, text } });
      const { payload } = await events.next('message.reaction', (event) => bare(event.payload.id) === id);
      expect(payload).toMatchObject({
        from: ada.chatId,
        fromMe: false,
        reaction: { text, messageId: sent.id },
      });
    }
  });

  it('an edit', async () => {
    const id = await ada.send(own, { text: 'Frist' });
    await inChat(id);
    await ada.send(own, { edit: { id, text: 'First' } });
    const { payload } = await events.next('message.edited', (event) => event.payload.editedMessageId === id);
    expect(payload).toMatchObject({ body: 'First', fromMe: false });
    const stored = await untilMessage(running.api, SESSION, ada.chatId, id, ({ body }) => body === 'First');
    expect(stored.id).toBe(`false_${ada.chatId}_${id}`);
  });

  it('a deletion', async () => {
    const id = await ada.send(own, { text: 'Oh no' });
    await inChat(id);
    await ada.send(own, { revoke: id });
    const { payload } = await events.next('message.revoked', (event) => event.payload.revokedMessageId === id);
    expect(payload).toMatchObject({ chatId: ada.chatId });
  });

  it('typing is no message', async () => {
    await running.whatsapp.post(`/admin/contacts/${ada.phone}/typing`, { to: own });
    const id = await ada.send(own, { text: 'Done typing' });
    expect((await messageEvent('message', id)).payload.body).toBe('Done typing');
  });
});

describe('acks', () => {
  it('of a send rise from SERVER to READ, each an event', async () => {
    const sent = await send(running.api, 'sendText', { session: SESSION, chatId: bob.chatId, text: 'Are you there?' });
    await bob.received(sent.bareId);
    const acked = (ack: number) =>
      events.next('message.ack', ({ payload }) => bare(payload.id) === sent.bareId && payload.ack === ack);
    expect((await acked(2)).payload).toMatchObject({ ackName: 'DEVICE', fromMe: true });
    await bob.read(own);
    expect((await acked(3)).payload).toMatchObject({ id: sent.id, ackName: 'READ' });
  });
});

describe('in a group', () => {
  let group: string;

  beforeAll(async () => {
    const answer = await running.whatsapp.post('/admin/groups', {
      owner: ada.phone,
      subject: 'Tea',
      participants: [own, bob.phone],
    });
    group = z.object({ id: z.string() }).parse(answer).id;
  });

  it('a message comes with its author', async () => {
    const id = await ada.send(group, { text: 'Hello everybody' });
    const { payload } = await messageEvent('message', id);
    expect(payload).toMatchObject({ from: group, fromMe: false, participant: ada.chatId, body: 'Hello everybody' });
    expect(await untilMessage(running.api, SESSION, group, id)).toMatchObject({ participant: ada.chatId });
  });

  it('a message goes to every member, and its acks come by member', async () => {
    const sent = await send(running.api, 'sendText', { session: SESSION, chatId: group, text: 'Hello you two' });
    for (const member of [ada, bob]) {
      expect(await member.received(sent.bareId)).toMatchObject({ text: 'Hello you two', chat: group });
    }
    const acks = new Set<string | null>();
    await events.next('message.ack.group', ({ payload }) => {
      if (bare(payload.id) === sent.bareId) acks.add(payload.participant);
      return acks.has(ada.chatId) && acks.has(bob.chatId);
    });
  });

  it('a reply to a member quotes that member', async () => {
    const id = await bob.send(group, { text: 'Who makes it?' });
    const { payload } = await messageEvent('message', id);
    const reply = { session: SESSION, chatId: group, text: 'I do', reply_to: payload.id };
    const sent = await send(running.api, 'sendText', reply);
    expect(await ada.received(sent.bareId)).toMatchObject({ text: 'I do', quotedId: id });
  });

  it('seen tells the author', async () => {
    const id = await ada.send(group, { text: 'Read this, all' });
    const { payload } = await messageEvent('message', id);
    await running.api.post('/api/sendSeen', { session: SESSION, chatId: group, messageIds: [payload.id] });
    await ada.seen('read', ({ kind, state, ids }) => kind === 'receipt' && state === 'read' && ids.includes(id));
  });
});

describe('from the own phone', () => {
  it('a message appears as message.any, from me, and not as message', async () => {
    const phone = new SimulatedContact(running, own);
    const id = await phone.send(bob.phone, { text: 'Sent by hand' });
    const { payload } = await messageEvent('message.any', id);
    expect(payload).toMatchObject({ fromMe: true, source: 'app', from: `${own}@c.us`, to: bob.chatId });
    expect(payload.body).toBe('Sent by hand');
    expect(await inChat(id, bob)).toMatchObject({ fromMe: true, source: 'app' });
    const answer = await bob.send(own, { text: 'Got it' });
    await messageEvent('message', answer);
    expect(events.of(SESSION, 'message').map(({ payload }) => JSON.stringify(payload))).not.toContainEqual(
      expect.stringContaining(id),
    );
  });
});

describe('chats', () => {
  it('are listed with their last messages, the latest first', async () => {
    const [before] = await readMessages(running.api, SESSION, 'all');
    // WhatsApp's times are whole seconds.
    const nextSecond = ((before?.timestamp ?? 0) + 1) * 1000;
    await until('the next second', async () => (Date.now() >= nextSecond ? true : undefined));
    const id = await bob.send(own, { text: 'The very last' });
    const chats = await until('the last message on top', async () => {
      const overview = z.array(chatSummarySchema).parse(await running.api.get(`/api/${SESSION}/chats/overview`));
      return overview[0]?.lastMessage && bare(overview[0].lastMessage.id) === id ? overview : undefined;
    });
    expect(chats[0]).toMatchObject({ id: bob.chatId, lastMessage: { body: 'The very last' } });
    expect(chats.map((chat) => chat.id)).toContain(ada.chatId);
  });

  it('are paged without gaps or repeats', async () => {
    const all = (await readMessages(running.api, SESSION, ada.chatId)).map(({ id }) => id);
    const paged: string[] = [];
    for (let offset = 0; offset < all.length; offset += 3) {
      const page = await readMessages(running.api, SESSION, ada.chatId, `limit=3&offset=${offset}`);
      paged.push(...page.map(({ id }) => id));
    }
    expect(paged).toEqual(all);
    const ours = await readMessages(running.api, SESSION, ada.chatId, 'limit=100&filter.fromMe=true');
    expect(ours.length).toBeGreaterThan(0);
    expect(ours.every(({ fromMe }) => fromMe)).toBe(true);
  });
});

describe('events', () => {
  it('arrive once each, in numbers that strictly grow', async () => {
    const id = await ada.send(own, { text: 'sentinel' });
    await messageEvent('message', id);
    await messageEvent('message.any', id);
    await events.drain();
    const ids = events.seen.map((event) => event.id);
    expect(ids.length).toBeGreaterThan(20);
    expect(ids.filter((each, index) => ids.indexOf(each) !== index)).toEqual([]);
    const numbers = events.of(SESSION).map(({ seq }) => seq);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    const messages = events.of(SESSION, 'message').map(({ payload }) => ('id' in payload ? payload.id : ''));
    expect(new Set(messages).size).toBe(messages.length);
  });

  it('the simulator has nothing to complain about', async () => {
    expect(await complaints(running)).toEqual(NO_COMPLAINTS);
  });
});
