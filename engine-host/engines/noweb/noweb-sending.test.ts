import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { chatOf, useNowebWorld } from './noweb-world.ts';

const world = useNowebWorld();

const png = (): Promise<Buffer> =>
  sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();

async function received(phone: string, since = 0) {
  const [entry] = await world.simulator.inbox(phone, { since, waitMs: 5_000 });
  if (!entry) throw new Error('nothing arrived');
  return entry;
}

describe('sending', () => {
  test('an image from the media bucket arrives decrypted, with its caption', async () => {
    const { harness, run } = await world.paired();
    const { phone, chatId } = world.contact('Image Reader');
    const body = await png();
    await harness.media.put('out/s/1', body, 'image/png');
    const media = { kind: 'object', key: 'out/s/1', mimetype: 'image/png' } as const;
    const outcome = await run({ type: 'sendImage', chatId, media, caption: 'a teal field' });
    expect(outcome).toMatchObject({ kind: 'sent' });
    expect(await received(phone)).toMatchObject({ type: 'image', caption: 'a teal field' });
    const event = await harness.event('message.any');
    expect(event.body.payload).toMatchObject({
      hasMedia: true,
      body: 'a teal field',
      media: { mimetype: 'image/png' },
    });
  });

  test('a picture has our own preview, and none where we make none', async () => {
    const { harness, run } = await world.paired();
    const { phone, chatId } = world.contact('Previewer');
    await harness.media.put('out/s/3', await png(), 'image/png');
    const drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"/>';
    await harness.media.put('out/s/4', Buffer.from(drawing), 'image/png');
    for (const key of ['out/s/3', 'out/s/4']) {
      const media = { kind: 'object', key, mimetype: 'image/png' } as const;
      expect(await run({ type: 'sendImage', chatId, media })).toMatchObject({ kind: 'sent' });
    }
    await received(phone, 1);
    const raws = (await world.simulator.inbox(phone)).map(({ raw }) => raw);
    const none = { imageMessage: expect.not.objectContaining({ jpegThumbnail: expect.stringMatching(/./) }) };
    expect(raws).toMatchObject([
      { imageMessage: { width: 40, height: 30, jpegThumbnail: expect.stringMatching(/^\/9j/) } },
      none,
    ]);
  });

  test('a file by URL keeps its name, and its type is found out', async () => {
    const { harness, run } = await world.paired();
    const { phone, chatId } = world.contact('File Reader');
    harness.remote.set('https://files.example/plan', { body: await png(), mimetype: undefined, filename: 'plan.png' });
    const media = { kind: 'url', url: 'https://files.example/plan' } as const;
    expect(await run({ type: 'sendFile', chatId, media })).toMatchObject({ kind: 'sent' });
    const entry = await received(phone);
    expect(entry.raw).toMatchObject({ documentMessage: { fileName: 'plan.png', mimetype: 'image/png' } });
  });

  test('voice, video and video note are sent as such', async () => {
    const { harness, run } = await world.paired();
    const { phone, chatId } = world.contact('Viewer');
    await harness.media.put('out/s/2', Buffer.alloc(2_000, 7), 'audio/ogg');
    const audio = { kind: 'object', key: 'out/s/2', mimetype: 'audio/ogg' } as const;
    const video = { kind: 'object', key: 'out/s/2', mimetype: 'video/mp4' } as const;
    expect(await run({ type: 'sendVoice', chatId, media: audio })).toMatchObject({ kind: 'sent' });
    expect(await run({ type: 'sendVideo', chatId, media: video, caption: 'moving' })).toMatchObject({ kind: 'sent' });
    expect(await run({ type: 'sendVideo', chatId, media: video, asNote: true })).toMatchObject({ kind: 'sent' });
    await received(phone, 2);
    const raws = (await world.simulator.inbox(phone)).map(({ raw }) => raw);
    expect(raws).toMatchObject([
      { audioMessage: { ptt: true, mimetype: 'audio/ogg; codecs=opus' } },
      { videoMessage: { caption: 'moving', mimetype: 'video/mp4' } },
      { ptvMessage: { mimetype: 'video/mp4' } },
    ]);
  });

  test('a voice message says how long it is', async () => {
    const { harness, run } = await world.paired();
    const { phone, chatId } = world.contact('Listener');
    // Two pages of Opus, of which the second ends after five seconds.
    const [first, last] = [Buffer.alloc(47), Buffer.alloc(28)];
    first.write('OggS');
    first.writeUInt8(1, 26);
    first.write('OpusHead', 28);
    last.write('OggS');
    last.writeUInt32LE(240_000, 6);
    await harness.media.put('out/s/5', Buffer.concat([first, last]), 'audio/ogg');
    const media = { kind: 'object', key: 'out/s/5', mimetype: 'audio/ogg' } as const;
    expect(await run({ type: 'sendVoice', chatId, media })).toMatchObject({ kind: 'sent' });
    expect((await received(phone)).raw).toMatchObject({ audioMessage: { ptt: true, seconds: 5 } });
  });

  test('a file by URL is held to what its send takes, by its content and by what is said of it', async () => {
    const { harness, run } = await world.paired();
    const { phone, chatId } = world.contact('Particular');
    const page = { body: Buffer.from('<!doctype html>'), filename: undefined };
    harness.remote.set('https://files.example/page', { ...page, mimetype: 'text/html' });
    harness.remote.set('https://files.example/fake', { ...page, mimetype: 'image/png' });
    harness.remote.set('https://files.example/bare', { ...page, body: await png(), mimetype: 'binary/octet-stream' });
    harness.remote.set('https://files.example/wrong', { ...page, body: await png(), mimetype: 'text/html' });
    const sendImage = (path: string, said = {}) =>
      run({ type: 'sendImage', chatId, media: { kind: 'url', url: `https://files.example/${path}`, ...said } });
    const refused = (message: string) => ({ kind: 'rejected', code: 'media-refused', message });
    const taken = 'The file must be image/jpeg, image/png, image/webp or image/gif';
    expect(await sendImage('page')).toEqual(refused(`${taken}, not text/html`));
    expect(await sendImage('page', { mimetype: 'image/png' })).toEqual(refused(`${taken}, and its content is not`));
    expect(await sendImage('fake')).toEqual(refused(`${taken}, and its content is not`));
    expect(await sendImage('wrong')).toEqual(refused(`${taken}, not text/html`));
    expect(await sendImage('wrong', { mimetype: 'image/jpeg' })).toMatchObject({ kind: 'sent' });
    expect(await sendImage('bare')).toMatchObject({ kind: 'sent' });
    await received(phone, 1);
    const raws = (await world.simulator.inbox(phone)).map(({ raw }) => raw);
    expect(raws).toMatchObject([
      { imageMessage: { mimetype: 'image/jpeg' } },
      { imageMessage: { mimetype: 'image/png' } },
    ]);
  });

  test('media leaves its room to the next send, also when nothing came of it', async () => {
    const { harness, run } = await world.paired({ outgoingMediaBytes: 2 });
    const { phone, chatId } = world.contact('Waiting');
    harness.remote.set('https://files.example/a.png', { body: await png(), mimetype: undefined, filename: undefined });
    const image = { type: 'sendImage', chatId, media: { kind: 'url', url: 'https://files.example/a.png' } } as const;
    expect(await run({ ...image, quoted: { chatId, id: '3EB0', fromMe: false, content: '////' } })).not.toMatchObject({
      kind: 'sent',
    });
    expect(await run(image)).toMatchObject({ kind: 'sent' });
    expect(await run(image)).toMatchObject({ kind: 'sent' });
    await received(phone, 1);
  });

  test('media leaves its room at the end of a try whose upload never ends', async () => {
    const { harness, run } = await world.paired({ outgoingMediaBytes: 2 });
    const { phone, chatId } = world.contact('Impatient');
    await harness.media.put('out/s/6', await png(), 'image/png');
    const media = { kind: 'object', key: 'out/s/6', mimetype: 'image/png' } as const;
    const image = { type: 'sendImage', chatId, media } as const;
    const { uploads } = world.simulator.stats();
    world.simulator.addFault({ kind: 'break-upload', count: 1 });
    const job = harness.job('breaks off');
    const end = new AbortController();
    job.signal = end.signal;
    const first = run(image, job);
    await expect.poll(() => world.simulator.stats().uploads).toBe(uploads + 1);
    end.abort(new Error('The try is over'));
    expect(await first).toMatchObject({ kind: 'retry' });
    expect(await run(image)).toMatchObject({ kind: 'sent' });
    expect(await received(phone)).toMatchObject({ raw: { imageMessage: { mimetype: 'image/png' } } });
  });

  test('media that is not there is refused for good', async () => {
    const { run } = await world.paired();
    const { chatId } = world.contact('Nobody');
    const media = { kind: 'url', url: 'https://files.example/missing' } as const;
    expect(await run({ type: 'sendImage', chatId, media })).toMatchObject({ kind: 'rejected', code: 'media-missing' });
  });

  test('location, contact card and poll', async () => {
    const { run } = await world.paired();
    const { phone, chatId } = world.contact('Traveller');
    await run({ type: 'sendLocation', chatId, latitude: 48.1, longitude: 11.5, title: 'here' });
    await run({
      type: 'sendContactVcard',
      chatId,
      contacts: [{ displayName: 'Ann', vcard: 'BEGIN:VCARD\nEND:VCARD' }],
    });
    await run({ type: 'sendPoll', chatId, name: 'When?', options: ['now', 'later'], multipleAnswers: false });
    await received(phone, 2);
    const raws = (await world.simulator.inbox(phone)).map(({ raw }) => raw);
    expect(raws).toMatchObject([
      { locationMessage: { degreesLatitude: 48.1, name: 'here' } },
      { contactMessage: { displayName: 'Ann' } },
      { pollCreationMessageV3: { name: 'When?', options: [{ optionName: 'now' }, { optionName: 'later' }] } },
    ]);
  });

  test('reply, reaction, forward, edit and delete refer to the right message, and become events', async () => {
    const { harness, phone: own, run } = await world.paired();
    const { phone, chatId } = world.contact('Friend');
    const { id } = await world.simulator.send(phone, { to: own, text: 'question?' });
    const incoming = await harness.event('message');
    const content = String(incoming.body.payload._data?.content);
    const question = { chatId, id, fromMe: false, content };
    const answerJob = harness.job('answer');
    await run({ type: 'sendText', chatId, text: 'answer', quoted: question }, answerJob);
    await run({ type: 'sendReaction', chatId, message: question, reaction: '👍' });
    await run({ type: 'forwardMessage', chatId, message: question });
    const answer = { chatId, id: answerJob.messageId, fromMe: true };
    await run({ type: 'editMessage', chatId, message: answer, text: 'better answer' });
    await run({ type: 'deleteMessage', chatId, message: answer });
    await received(phone, 4);
    const raws = (await world.simulator.inbox(phone)).map(({ raw }) => raw);
    expect(raws).toMatchObject([
      { extendedTextMessage: { text: 'answer', contextInfo: { stanzaId: id } } },
      { reactionMessage: { text: '👍', key: { id } } },
      { extendedTextMessage: { text: 'question?', contextInfo: { isForwarded: true } } },
      { protocolMessage: { type: 'MESSAGE_EDIT', key: { id: answerJob.messageId } } },
      { protocolMessage: { type: 'REVOKE', key: { id: answerJob.messageId } } },
    ]);
    expect((await harness.event('message.reaction')).body.payload).toMatchObject({
      fromMe: true,
      source: 'api',
      reaction: { text: '👍', messageId: `false_${chatId}_${id}` },
    });
    expect((await harness.event('message.edited')).body.payload).toMatchObject({
      editedMessageId: answerJob.messageId,
      body: 'better answer',
    });
    expect((await harness.event('message.revoked')).body.payload).toMatchObject({
      revokedMessageId: answerJob.messageId,
      chatId,
    });
    const traced = harness.events.filter(({ traceparent }) => traceparent !== undefined);
    expect(traced.map(({ body }) => body.event).filter((name) => name !== 'message.ack')).toEqual([
      'message.any',
      'message.reaction',
      'message.any',
      'message.edited',
      'message.revoked',
    ]);
  });

  test('a reply to an unknown message is refused where its content is needed', async () => {
    const { run } = await world.paired();
    const { chatId } = world.contact('Forgetful');
    const message = { chatId, id: 'UNKNOWN123', fromMe: false };
    expect(await run({ type: 'forwardMessage', chatId, message })).toMatchObject({
      kind: 'rejected',
      code: 'message-unknown',
    });
  });

  test('two tries of one job are not on the wire at once', async () => {
    const { harness, phone, run } = await world.paired();
    const { chatId } = world.contact('Patient');
    await run({ type: 'sendText', chatId, text: 'hello' });
    world.simulator.addFault({ kind: 'swallow', match: { phone }, count: 1 });
    const job = harness.job('hangs');
    const first = run({ type: 'sendText', chatId, text: 'once' }, job);
    await expect.poll(() => job.frozen).toBeDefined();
    expect(await run({ type: 'sendText', chatId, text: 'once' }, job)).toMatchObject({
      kind: 'retry',
      reason: 'leaving',
    });
    await harness.engine.stop();
    expect(await first).toMatchObject({ kind: 'retry', reason: 'connection-lost' });
  });

  test('a nack is final and carries its code', async () => {
    const { harness, run } = await world.paired();
    const { phone, chatId } = world.contact('Unreachable');
    world.simulator.addFault({ kind: 'nack', code: 463, count: 1 });
    expect(await run({ type: 'sendText', chatId, text: 'hello' })).toMatchObject({
      kind: 'rejected',
      code: 'nack-463',
    });
    expect(await world.simulator.inbox(phone)).toEqual([]);
    expect(harness.events).toEqual([]);
  });

  test('everybody in a group gets a message, mentions and all', async () => {
    const { harness, phone: own, run } = await world.paired();
    const [ann, ben] = [world.contact('Ann'), world.contact('Ben')];
    const group = world.simulator.createGroup({ owner: ann.phone, subject: 'Trip', participants: [own, ben.phone] });
    const chatId = chatOf(group.id);
    expect(await run({ type: 'sendText', chatId, text: 'all aboard', mentions: ['all'] })).toMatchObject({
      kind: 'sent',
    });
    for (const { phone } of [ann, ben]) {
      const entry = await received(phone);
      expect(entry).toMatchObject({ text: 'all aboard', chat: chatId });
      const mentioned: unknown = Reflect.get(Object(entry.raw), 'extendedTextMessage');
      expect(JSON.stringify(mentioned)).toContain(ben.lid);
    }
    const event = await harness.event('message.any');
    expect(event.key).toBe(`true_${chatId}_${event.key.split('_')[2]}_${own}@c.us`);
    await world.simulator.send(ben.phone, { to: chatId, text: 'coming' });
    const answer = await harness.event('message');
    expect(answer.body.payload).toMatchObject({ from: chatId, participant: ben.chatId, body: 'coming' });
    world.simulator.read(ben.phone, { to: chatId });
    const read = await harness.event('message.ack.group', ({ body }) => JSON.stringify(body).includes('READ'));
    expect(read.body.payload).toMatchObject({ to: chatId, participant: ben.chatId, ack: 3, id: event.key });
  });
});

describe('a group message that the server did not take', () => {
  test('does not count as having given the members the key', async () => {
    const { phone: own, run } = await world.paired();
    const ann = world.contact('Ann G');
    const group = world.simulator.createGroup({ owner: ann.phone, subject: 'Keys', participants: [own] });
    const chatId = chatOf(group.id);
    world.simulator.addFault({ kind: 'nack', code: 500, count: 1 });
    expect(await run({ type: 'sendText', chatId, text: 'refused' })).toMatchObject({ kind: 'rejected' });
    const { retries } = world.simulator.stats();
    expect(await run({ type: 'sendText', chatId, text: 'taken' })).toMatchObject({ kind: 'sent' });
    expect(await received(ann.phone)).toMatchObject({ text: 'taken' });
    expect(world.simulator.stats().retries).toBe(retries);
  });
});

describe('asking', () => {
  test('whether a number is on WhatsApp', async () => {
    const { run } = await world.paired();
    const { phone, chatId } = world.contact('Member');
    expect(await run({ type: 'checkExists', phone: `+${phone}` })).toEqual({
      kind: 'done',
      result: { numberExists: true, chatId },
    });
    expect(await run({ type: 'checkExists', phone: '4915999999998' })).toEqual({
      kind: 'done',
      result: { numberExists: false },
    });
  });

  test('typing and read receipts reach the contact', async () => {
    const { harness, phone: own, run } = await world.paired();
    const { phone, chatId } = world.contact('Watcher');
    const { id } = await world.simulator.send(phone, { to: own, text: 'are you there?' });
    await harness.event('message');
    expect(await run({ type: 'setTyping', chatId, typing: true })).toEqual({ kind: 'done', result: {} });
    const messages = [{ chatId, id, fromMe: false }];
    expect(await run({ type: 'sendSeen', chatId, messages })).toEqual({ kind: 'done', result: {} });
    const states = async () => (await world.simulator.events(phone)).map(({ state }) => state);
    await expect.poll(states, { timeout: 5_000 }).toEqual(expect.arrayContaining(['composing', 'read']));
  });
});
