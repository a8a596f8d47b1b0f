import { createHash, randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Accepted, accepted, readMessages, send, untilJob, untilMessage } from '#test/support/api-reads.ts';
import { type FileServer, serveFiles } from '#test/support/file-server.ts';
import { RecordedEvents } from '#test/support/recorded-events.ts';
import { type RunningPlatform, runPlatform } from '#test/support/running-platform.ts';
import { addContact, complaints, NO_COMPLAINTS, type SimulatedContact } from '#test/support/simulated-contact.ts';

const SESSION = 'sender';
const AFTER_SENT = ['SENT', 'DELIVERED', 'READ', 'PLAYED'] as const;

let running: RunningPlatform;
let own: string;
let ada: SimulatedContact;
let bob: SimulatedContact;
let files: FileServer;
let events: RecordedEvents;
let picture: Buffer;
const recording = randomBytes(3_000);

beforeAll(async () => {
  picture = await sharp({ create: { width: 64, height: 48, channels: 3, background: 'orange' } })
    .png()
    .toBuffer();
  files = await serveFiles({
    '/picture.png': { body: picture, mimetype: 'image/png' },
    '/talk.ogg': { body: recording, mimetype: 'audio/ogg' },
    '/film.mp4': { body: recording, mimetype: 'video/mp4' },
    '/plan.pdf': { body: recording, mimetype: 'application/pdf' },
  });
  // The name, not the address: 127.0.0.1 stays forbidden.
  const env = { MEDIA_ALLOW_PRIVATE_HOSTS: 'localhost' };
  running = await runPlatform({ hostEnv: env, functionEnv: env });
  events = await RecordedEvents.start(running.platform, 'recorder');
  own = await running.pair(SESSION);
  ada = await addContact(running, 'Ada');
  bob = await addContact(running, 'Bob');
});
afterAll(async () => {
  await files?.close();
  await running?.stop();
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const to = (contact: SimulatedContact) => ({ session: SESSION, chatId: contact.chatId });
const inline = (bytes: Uint8Array, mimetype: string) => ({ mimetype, data: Buffer.from(bytes).toString('base64') });
const byUrl = (path: string) => ({ url: `http://localhost:${files.port}${path}` });

/** Sends, and waits until the contact has decrypted the message under the id that the answer named. */
async function arrives(contact: SimulatedContact, operation: string, body: object) {
  const sent = await send(running.api, operation, { ...to(contact), ...body });
  expect(sent).toMatchObject({ fromMe: true, ack: 0, to: contact.chatId, from: `${own}@c.us` });
  const message = await contact.received(sent.bareId);
  expect(message).toMatchObject({ id: sent.bareId, fromMe: false });
  const job = await untilJob(running.api, SESSION, sent.jobId, AFTER_SENT);
  expect(job).toMatchObject({ messageId: sent.id, error: null });
  return { sent, message };
}

async function asks(contact: SimulatedContact, text: string): Promise<string> {
  const id = await contact.send(own, { text });
  await untilMessage(running.api, SESSION, contact.chatId, id);
  return id;
}

async function change(method: 'PUT' | 'DELETE', messageId: string, body?: object): Promise<Accepted> {
  const path = `/api/${SESSION}/chats/${ada.chatId}/messages/${encodeURIComponent(messageId)}`;
  return accepted(await (await running.api.raw(method, path, body)).json());
}

describe('texts', () => {
  it('a text arrives under the id of the answer, and the job tells so', async () => {
    const { sent, message } = await arrives(ada, 'sendText', { text: 'Hello, Ada! 👋' });
    expect(message).toMatchObject({ type: 'text', text: 'Hello, Ada! 👋' });
    expect(sent.id).toBe(`true_${ada.chatId}_${sent.bareId}`);
    expect(sent.bareId).toMatch(/^3EB0[0-9A-F]{18}$/);
  });

  it('mentions are on the wire', async () => {
    const body = { text: `Ask @${bob.phone}`, mentions: [bob.chatId] };
    const { message } = await arrives(ada, 'sendText', body);
    expect(message).toMatchObject({ text: `Ask @${bob.phone}`, mentions: [`${bob.phone}@s.whatsapp.net`] });
  });

  it.each(['long', 'bare'])('a reply quotes the message it names by its %s id', async (form) => {
    const question = await asks(ada, `What is new? (${form})`);
    const reply_to = form === 'long' ? `false_${ada.chatId}_${question}` : question;
    const { message } = await arrives(ada, 'sendText', { text: 'Nothing.', reply_to });
    expect(message).toMatchObject({ text: 'Nothing.', quotedId: question });
    expect(JSON.stringify(message.raw)).toContain(`What is new? (${form})`);
  });

  it('a preset id is the id on the wire', async () => {
    const { sent } = await arrives(ada, 'sendText', { text: 'Numbered', id: 'MYOWN0001' });
    expect(sent.id).toBe(`true_${ada.chatId}_MYOWN0001`);
  });

  it('of one Idempotency-Key is one message, however often it is sent', async () => {
    const body = { ...to(bob), text: 'Only once' };
    const headers = { 'idempotency-key': 'order-4711' };
    const first = await send(running.api, 'sendText', body, headers);
    const second = await send(running.api, 'sendText', body, headers);
    expect(second).toMatchObject({ id: first.id, jobId: first.jobId });
    await bob.received(first.bareId);
    // Sends of a session keep their order: once this one is there, a second copy would be too.
    await arrives(bob, 'sendText', { text: 'the next one' });
    expect((await bob.inbox()).filter(({ text }) => text === 'Only once')).toHaveLength(1);
    await expect(send(running.api, 'sendText', { ...body, text: 'Another' }, headers)).rejects.toMatchObject({
      status: 409,
    });
  });

  it('Prefer: wait waits for the ack of the server', async () => {
    const sent = await send(running.api, 'sendText', { ...to(ada), text: 'Waiting' }, { prefer: 'wait=10' });
    expect(sent).toMatchObject({ ack: 1, ackName: 'SERVER' });
  });

  it('sent one after the other arrive in that order', async () => {
    const texts = Array.from({ length: 12 }, (_, index) => `In order ${index}`);
    for (const text of texts) await send(running.api, 'sendText', { ...to(bob), text });
    await arrives(bob, 'sendText', { text: 'The end' });
    const got = (await bob.inbox()).flatMap(({ text }) => (text?.startsWith('In order') ? [text] : []));
    expect(got).toEqual(texts);
  });
});

describe('media', () => {
  it.each([
    ['sendImage', 'image', () => inline(picture, 'image/png'), 'image/png', () => picture],
    ['sendImage', 'image', () => byUrl('/picture.png'), 'image/png', () => picture],
    ['sendFile', 'document', () => inline(recording, 'application/zip'), 'application/zip', () => recording],
    ['sendFile', 'document', () => byUrl('/plan.pdf'), 'application/pdf', () => recording],
    ['sendVoice', 'voice', () => inline(recording, 'audio/ogg'), 'audio/ogg; codecs=opus', () => recording],
    ['sendVoice', 'voice', () => byUrl('/talk.ogg'), 'audio/ogg; codecs=opus', () => recording],
    ['sendVideo', 'video', () => inline(recording, 'video/mp4'), 'video/mp4', () => recording],
    ['sendVideo', 'video', () => byUrl('/film.mp4'), 'video/mp4', () => recording],
  ])('%s as %s, case %#: the contact decrypts the same bytes', async (operation, type, file, mimetype, bytes) => {
    const caption = operation === 'sendVoice' ? {} : { caption: 'Look at this' };
    const { sent, message } = await arrives(ada, operation, { file: file(), ...caption });
    const media = { mimetype, sha256: sha256(bytes()), bytes: bytes().length };
    expect(message).toMatchObject({ type, media, ...caption });
    const stored = await untilMessage(running.api, SESSION, ada.chatId, sent.bareId);
    expect(stored).toMatchObject({ fromMe: true, hasMedia: true, source: 'api' });
  });

  it('a file by URL keeps its name', async () => {
    const { message } = await arrives(ada, 'sendFile', { file: byUrl('/plan.pdf') });
    expect(JSON.stringify(message.raw)).toContain('"fileName":"plan.pdf"');
  });

  it('a video note is one', async () => {
    const { message } = await arrives(ada, 'sendVideo', { file: inline(recording, 'video/mp4'), asNote: true });
    expect(message.raw).toMatchObject({ ptvMessage: { mimetype: 'video/mp4' } });
  });

  it.each([
    ['a private address', () => `http://127.0.0.1/picture.png`, 'media-refused'],
    ['the metadata address of a cloud', () => 'http://169.254.169.254/latest/meta-data/', 'media-refused'],
    ['a file that is not there', () => `http://localhost:${files.port}/nothing`, 'media-missing'],
  ])('by URL to %s fails for good and says why', async (_what, url, code) => {
    const sent = await send(running.api, 'sendImage', { ...to(ada), file: { url: url() } });
    const job = await untilJob(running.api, SESSION, sent.jobId, ['FAILED', ...AFTER_SENT]);
    expect(job).toMatchObject({ state: 'FAILED', error: { code } });
    expect(job.error?.message).toMatch(/^[A-Z].{10,}/);
  });
});

describe('other kinds', () => {
  it('a location', async () => {
    const body = { latitude: 52.52, longitude: 13.405, title: 'Our office' };
    const { message } = await arrives(ada, 'sendLocation', body);
    expect(message).toMatchObject({
      type: 'location',
      raw: { locationMessage: { degreesLatitude: 52.52, degreesLongitude: 13.405, name: 'Our office' } },
    });
  });

  it('a contact card, as fields and as vCard', async () => {
    const contacts = [
      { fullName: 'Jane Doe', organization: 'Acme', phoneNumber: '+49 151 12345678', whatsappId: '4915112345678' },
      { vcard: 'BEGIN:VCARD\nVERSION:3.0\nFN:John Roe\nTEL:+4915187654321\nEND:VCARD' },
    ];
    const { message } = await arrives(ada, 'sendContactVcard', { contacts });
    expect(message.type).toBe('contacts');
    expect(message.raw).toMatchObject({
      contactsArrayMessage: { contacts: [{ displayName: 'Jane Doe' }, { displayName: 'John Roe' }] },
    });
    expect(JSON.stringify(message.raw)).toContain('waid=4915112345678');
  });

  it('a poll', async () => {
    const poll = { name: 'Lunch?', options: ['Pasta', 'Soup', 'Nothing'], multipleAnswers: true };
    const { message } = await arrives(ada, 'sendPoll', { poll });
    expect(message).toMatchObject({ type: 'poll', text: 'Lunch?' });
    expect(JSON.stringify(message.raw)).toMatch(/Pasta.*Soup.*Nothing/);
  });

  it('a reaction, and its removal', async () => {
    const question = await asks(ada, 'Do you like it?');
    for (const reaction of ['❤️', '']) {
      const body = { session: SESSION, messageId: `false_${ada.chatId}_${question}`, reaction };
      const sent = accepted(await (await running.api.raw('PUT', '/api/reaction', body)).json());
      const message = await ada.received(sent.bareId);
      expect(message).toMatchObject({ type: 'reaction', text: reaction, targetId: question });
    }
  });

  it('a forwarded text and a forwarded image', async () => {
    const text = await asks(ada, 'Pass this on');
    const image = await ada.send(own, { image: { data: picture.toString('base64'), mimetype: 'image/png' } });
    await untilMessage(running.api, SESSION, ada.chatId, image);
    const { message: forwarded } = await arrives(bob, 'forwardMessage', { messageId: `false_${ada.chatId}_${text}` });
    expect(forwarded).toMatchObject({ type: 'text', text: 'Pass this on' });
    expect(JSON.stringify(forwarded.raw)).toContain('"isForwarded":true');
    const { message } = await arrives(bob, 'forwardMessage', { messageId: `false_${ada.chatId}_${image}` });
    expect(message).toMatchObject({ type: 'image', media: { sha256: sha256(picture) } });
  });

  it('an edit, then a deletion, of a message of its own', async () => {
    const { sent } = await arrives(ada, 'sendText', { text: 'Helo' });
    const edit = await ada.received((await change('PUT', sent.id, { text: 'Hello' })).bareId);
    expect(edit).toMatchObject({ type: 'edit', text: 'Hello', targetId: sent.bareId });
    const stored = await untilMessage(running.api, SESSION, ada.chatId, sent.bareId, ({ body }) => body === 'Hello');
    expect(stored.fromMe).toBe(true);
    const revoke = await ada.received((await change('DELETE', sent.id)).bareId);
    expect(revoke).toMatchObject({ type: 'revoke', targetId: sent.bareId });
  });
});

describe('chat actions', () => {
  it('sendSeen shows the contact that its messages were read, with ids and without', async () => {
    const first = await asks(ada, 'Have you seen this?');
    await running.api.post('/api/sendSeen', { ...to(ada), messageIds: [`false_${ada.chatId}_${first}`] });
    await ada.seen('read', ({ kind, state, ids }) => kind === 'receipt' && state === 'read' && ids.includes(first));
    const second = await asks(ada, 'And this?');
    await running.api.post('/api/sendSeen', to(ada));
    await ada.seen('read', ({ kind, state, ids }) => kind === 'receipt' && state === 'read' && ids.includes(second));
  });

  it('typing is shown and taken back', async () => {
    await running.api.post('/api/startTyping', to(ada));
    const typing = await ada.seen('typing', ({ kind, state }) => kind === 'typing' && state === 'composing');
    await running.api.post('/api/stopTyping', to(ada));
    await ada.seen('its end', ({ kind, state, n }) => kind === 'typing' && state === 'paused' && n > typing.n);
  });

  it('a number is on WhatsApp, or not', async () => {
    const exists = (phone: string) => running.api.get(`/api/contacts/check-exists?session=${SESSION}&phone=${phone}`);
    expect(await exists(ada.phone)).toEqual({ numberExists: true, chatId: ada.chatId });
    expect(await exists('4915100000000')).toEqual({ numberExists: false });
  });
});

describe('what becomes of a send', () => {
  it('the ack rises to READ when the contact reads', async () => {
    const { sent } = await arrives(bob, 'sendText', { text: 'Read me' });
    await untilMessage(running.api, SESSION, bob.chatId, sent.bareId, ({ ack }) => ack >= 2);
    await bob.read(own);
    const read = await untilMessage(running.api, SESSION, bob.chatId, sent.bareId, ({ ack }) => ack === 3);
    expect(read.ackName).toBe('READ');
  });

  it('a refusal of WhatsApp fails the job with its code, and an ack of -1 tells so', async () => {
    await running.whatsapp.post('/admin/faults', { kind: 'nack', match: { phone: own }, code: 463, count: 1 });
    const sent = await send(running.api, 'sendText', { ...to(bob), text: 'Refused' });
    const job = await untilJob(running.api, SESSION, sent.jobId, ['FAILED', ...AFTER_SENT]);
    expect(job).toMatchObject({ state: 'FAILED', error: { code: 'nack-463' } });
    const { payload } = await events.next('message.ack', (event) => event.payload.id === sent.id);
    const _data = { jobId: sent.jobId, error: job.error };
    expect(payload).toMatchObject({ ack: -1, ackName: 'ERROR', to: bob.chatId, _data });
    await arrives(bob, 'sendText', { text: 'Accepted again' });
    expect((await bob.inbox()).map(({ text }) => text)).not.toContain('Refused');
  });

  it('a refusal is the answer for those who wait', async () => {
    await running.whatsapp.post('/admin/faults', { kind: 'nack', match: { phone: own }, code: 463, count: 1 });
    const waiting = send(running.api, 'sendText', { ...to(bob), text: 'No' }, { prefer: 'wait=10' });
    await expect(waiting).rejects.toMatchObject({ status: 422, message: expect.stringContaining('nack-463') });
  });

  it('everything sent is in the chat once, as sent', async () => {
    const kept = (await ada.inbox()).filter(({ type }) => !['reaction', 'edit', 'revoke'].includes(type));
    for (const { id } of kept) await untilMessage(running.api, SESSION, ada.chatId, id);
    const ids = (await readMessages(running.api, SESSION, ada.chatId)).map(({ id }) => id.split('_')[2]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('the simulator has nothing to complain about', async () => {
    expect(await complaints(running)).toEqual(NO_COMPLAINTS);
  });
});
