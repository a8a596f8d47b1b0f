import { describe, expect, test, vi } from 'vitest';
import { useNowebWorld } from './noweb-world.ts';

const world = useNowebWorld();
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

describe('receiving', () => {
  test('an image is stored in the media bucket and named in the event', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone } = world.contact('Painter');
    const image = { data: PIXEL, mimetype: 'image/png', caption: 'look' };
    const { id } = await world.simulator.send(phone, { to: own, image });
    const { body } = await harness.event('message');
    const key = `files/${harness.session}/${id}.png`;
    expect(body.payload).toMatchObject({
      hasMedia: true,
      body: 'look',
      media: { url: `/api/${key}`, mimetype: 'image/png', s3: { Bucket: harness.media.bucket, Key: key }, error: null },
    });
    const stored = await harness.media.get(key);
    expect(Buffer.from(stored.body).toString('base64')).toBe(PIXEL);
  });

  test('a download that hangs does not hold up a stop; the next run makes the event', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone } = world.contact('Slow');
    const hanging = vi.spyOn(harness.media, 'exists').mockReturnValue(new Promise(() => {}));
    await world.simulator.send(phone, { to: own, image: { data: PIXEL, mimetype: 'image/png', caption: 'slow' } });
    await vi.waitFor(() => expect(hanging).toHaveBeenCalled(), { timeout: 10_000 });
    await harness.engine.stop();
    expect(harness.events).toEqual([]);
    const again = world.session({}, { state: harness.state });
    again.engine.start();
    const { payload } = (await again.event('message')).body;
    expect(payload).toMatchObject({ body: 'slow', media: { error: null } });
  });

  test('media that is too large is named without being stored, and does not hold up what follows', async () => {
    const { harness, phone: own } = await world.paired({ mediaMaxBytes: 10 });
    const { phone } = world.contact('Big Painter');
    await world.simulator.send(phone, { to: own, image: { data: PIXEL, mimetype: 'image/png' } });
    await world.simulator.send(phone, { to: own, text: 'after it' });
    await harness.event('message', ({ body }) => JSON.stringify(body).includes('after it'));
    const messages = harness.events.filter(({ body }) => body.event === 'message');
    expect(messages.map(({ body }) => body.payload)).toMatchObject([
      { hasMedia: true, media: { url: null, error: expect.stringContaining('larger') } },
      { body: 'after it' },
    ]);
  });

  test('replies, locations, reactions, edits and deletions', async () => {
    const { harness, phone: own, run } = await world.paired();
    const { phone, chatId } = world.contact('Talker');
    const job = harness.job('opening');
    await run({ type: 'sendText', chatId, text: 'hello' }, job);
    await world.simulator.inbox(phone, { waitMs: 5_000 });
    const { simulator } = world;
    const { id } = await simulator.send(phone, { to: own, text: 'reply', quoted: job.messageId });
    await simulator.send(phone, { to: own, location: { latitude: 1.5, longitude: 2.5, name: 'there' } });
    await simulator.send(phone, { to: own, reaction: { id: job.messageId, text: '❤️' } });
    await simulator.send(phone, { to: own, edit: { id, text: 'edited reply' } });
    await simulator.send(phone, { to: own, revoke: id });
    const revoked = await harness.event('message.revoked');
    expect(revoked.body.payload).toMatchObject({ revokedMessageId: id, chatId, after: { fromMe: false } });
    expect((await harness.event('message')).body.payload).toMatchObject({
      body: 'reply',
      replyTo: { id: job.messageId, body: 'hello' },
    });
    expect((await harness.event('message.reaction')).body.payload).toMatchObject({
      from: chatId,
      reaction: { text: '❤️', messageId: `true_${chatId}_${job.messageId}` },
    });
    const edited = await harness.event('message.edited');
    expect(edited.body.payload).toMatchObject({ editedMessageId: id, body: 'edited reply', from: chatId });
    const place = harness.events.find(({ body }) => JSON.stringify(body).includes('"there"'));
    expect(place?.body.payload).toMatchObject({ location: { latitude: '1.5', longitude: '2.5' } });
  });

  test('what the owner writes on the phone is `message.any` only', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone, chatId } = world.contact('Pen Friend');
    const { id } = await world.simulator.send(own, { to: phone, text: 'from my phone' });
    const { body } = await harness.event('message.any');
    expect(body.payload).toMatchObject({ id: `true_${chatId}_${id}`, fromMe: true, source: 'app', to: chatId });
    expect(harness.events.filter(({ body: each }) => each.event === 'message')).toEqual([]);
  });

  test('acks follow a message of ours from delivery to reading', async () => {
    const { harness, run } = await world.paired();
    const { phone, chatId } = world.contact('Reader');
    const job = harness.job('read-me');
    await run({ type: 'sendText', chatId, text: 'read me' }, job);
    await harness.event('message.ack', ({ body }) => JSON.stringify(body).includes('DEVICE'));
    world.simulator.read(phone, { to: harness.status?.status === 'WORKING' ? harness.status.me.id : '' });
    const read = await harness.event('message.ack', ({ body }) => JSON.stringify(body).includes('READ'));
    expect(read.body.payload).toMatchObject({ id: `true_${chatId}_${job.messageId}`, to: chatId, ack: 3 });
  });

  test('typing is an event', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone, chatId } = world.contact('Typist');
    world.simulator.typing(phone, { to: own, state: 'composing' });
    expect((await harness.event('presence.update')).body.payload).toMatchObject({
      id: chatId,
      presences: [{ participant: chatId, lastKnownPresence: 'typing' }],
    });
  });

  test('messages of the time offline come in order, before newer ones', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone } = world.contact('Night Writer');
    await world.simulator.send(phone, { to: own, text: 'zero' });
    await harness.event('message');
    await harness.engine.stop();
    const texts = ['one', 'two', 'three', 'four'];
    for (const text of texts) await world.simulator.send(phone, { to: own, text });
    const again = world.session({}, { state: harness.state });
    again.engine.start();
    await again.reaches('WORKING');
    await world.simulator.send(phone, { to: own, text: 'five' });
    await again.event('message', ({ body }) => JSON.stringify(body).includes('five'));
    const bodies = again.events.flatMap(({ body }) => (body.event === 'message' ? [body.payload.body] : []));
    expect(bodies).toEqual([...texts, 'five']);
  });
});
