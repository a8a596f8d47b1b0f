import { describe, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { mediaSchema, type WaMedia, type WaMessage } from '#shared/contracts/message.ts';
import type { CommandOutcome } from '../engine.ts';
import { type EngineHarness, eventually } from '../engine-harness.ts';
import { chatOf, runCommand, useNowebWorld } from './noweb-world.ts';

const world = useNowebWorld();
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const IMAGE = { data: PIXEL, mimetype: 'image/png' };

const stored = async (harness: EngineHarness, media: WaMedia | null | undefined) =>
  Buffer.from((await harness.media.get(media?.s3?.Key ?? '')).body).toString('base64');
/** Media as it is told of: with the message's id in its name. */
const storedOf = ({ session, media: { bucket: Bucket } }: EngineHarness, id: string) => {
  const name = `files/${session}/${id}-[0-9a-f]{16}\\.png$`;
  const place = { url: expect.stringMatching(`^/api/${name}`), s3: { Bucket, Key: expect.stringMatching(`^${name}`) } };
  return { ...place, mimetype: 'image/png', filename: null, error: null };
};
const mediaIn = (outcome: CommandOutcome) =>
  z.object({ result: z.object({ media: mediaSchema }) }).parse(outcome).result.media;
/** Puts a message where the engine finds it: as the read model has it. */
const known = (harness: EngineHarness, id: string, { _data }: WaMessage) =>
  harness.sent.set(id, Buffer.from(z.object({ content: z.string() }).parse(_data).content, 'base64'));

describe('received media', () => {
  test('an image is stored in the media bucket and named in the event', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone } = world.contact('Painter');
    const image = { data: PIXEL, mimetype: 'image/png', caption: 'look' };
    const { id } = await world.simulator.send(phone, { to: own, image });
    const { body } = await harness.event('message');
    expect(body.payload).toMatchObject({ hasMedia: true, body: 'look', media: storedOf(harness, id) });
    expect(body.payload.media?.url).toBe(`/api/${body.payload.media?.s3?.Key}`);
    expect(await stored(harness, body.payload.media)).toBe(PIXEL);
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

  test('media that does not arrive in time is said to be missing, holds up nothing, and is downloaded on demand', async () => {
    const { harness, phone: own, run } = await world.paired({ mediaTimeoutMs: 500 });
    const { phone, chatId } = world.contact('Staller');
    const { simulator } = world;
    simulator.addFault({ kind: 'stall-media', count: 1 });
    const { id } = await simulator.send(phone, { to: own, image: { data: PIXEL, mimetype: 'image/png' } });
    await simulator.send(phone, { to: own, text: 'after it' });
    await harness.event('message', ({ body }) => JSON.stringify(body).includes('after it'));
    const { payload } = (await harness.event('message')).body;
    const missing = { url: null, mimetype: 'image/png', filename: null, s3: null };
    expect(payload).toMatchObject({ media: { ...missing, error: 'the media did not arrive in time' } });
    const message = { chatId, id, fromMe: false };
    expect(await run({ type: 'downloadMedia', message })).toMatchObject({ kind: 'rejected', code: 'media-missing' });
    // As the read model has it.
    harness.sent.set(id, Buffer.from(z.object({ content: z.string() }).parse(payload._data).content, 'base64'));
    const outcome = await run({ type: 'downloadMedia', message });
    expect(outcome).toEqual({ kind: 'done', result: { media: storedOf(harness, id) } });
    expect(await stored(harness, mediaIn(outcome))).toBe(PIXEL);
    expect(harness.asked).toEqual([message, message]);
  });

  test('that media has come is told also by a host that dies before the bus has it; what failed is not', async () => {
    const { harness: first, phone: own } = await world.paired();
    const { phone, chatId, lid } = world.contact('Tardy Painter');
    const { simulator } = world;
    simulator.setScript(own, { reupload: 'missing' });
    simulator.addFault({ kind: 'drop-media', count: 1 });
    const { id } = await simulator.send(phone, { to: own, image: IMAGE });
    const { payload } = (await first.event('message')).body;
    await first.engine.stop();
    const second = world.session({}, { state: first.state, publish: () => {} });
    second.engine.start();
    await second.reaches('WORKING');
    known(second, id, payload);
    const message = { chatId, id, fromMe: false };
    const failed = await runCommand(second, { type: 'downloadMedia', message });
    expect(failed).toMatchObject({ result: { media: { url: null } } });
    simulator.setScript(own, {});
    await runCommand(second, { type: 'downloadMedia', message });
    const told = await second.event('message.media');
    await second.engine.stop();
    const third = world.session({}, { state: first.state });
    third.engine.start();
    expect(await third.event('message.media')).toEqual(told);
    expect(told.body.payload).toEqual({
      id: payload.id,
      timestamp: expect.closeTo(Date.now() / 1000, -2),
      from: chatId,
      to: `${own}@c.us`,
      participant: null,
      fromMe: false,
      media: storedOf(second, id),
      _data: { lid: `${lid}@lid` },
    });
    expect(second.events.filter(({ body }) => body.event === 'message.media')).toHaveLength(1);
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

  test.each(['lid', 'pn'] as const)(
    'what WhatsApp has dropped is asked of the phone, in groups by %s too',
    async (addressing) => {
      const { harness, phone: own } = await world.paired();
      const { phone } = world.contact(`Late Painter by ${addressing}`);
      const { simulator } = world;
      const { id: group } = simulator.createGroup({ owner: phone, subject: 'Art', participants: [own], addressing });
      await harness.event('group.v2.join');
      for (const to of [own, group]) {
        simulator.addFault({ kind: 'drop-media', count: 1 });
        const { id } = await simulator.send(phone, { to, image: IMAGE });
        const { payload } = (await harness.event('message', ({ key }) => key.includes(id))).body;
        expect(payload).toMatchObject({ media: storedOf(harness, id) });
        expect(await stored(harness, payload.media)).toBe(PIXEL);
      }
    },
  );

  test('a phone that cannot help is named in the event; what it has later is downloaded on demand', async () => {
    const { harness, phone: own, run } = await world.paired({ mediaTimeoutMs: 1_000 });
    const { phone, chatId } = world.contact('Lost Painter');
    const { simulator } = world;
    const receive = async (reupload: 'missing' | 'error' | 'silent') => {
      simulator.setScript(own, { reupload });
      simulator.addFault({ kind: 'drop-media', code: 410, count: 1 });
      const { id } = await simulator.send(phone, { to: own, image: IMAGE });
      const { payload } = (await harness.event('message', ({ key }) => key.includes(id))).body;
      known(harness, id, payload);
      return payload.media?.error;
    };
    const download = (id: string) => run({ type: 'downloadMedia', message: { chatId, id, fromMe: false } });
    expect(await receive('missing')).toBe('neither WhatsApp nor the phone has the media any more');
    expect(await receive('error')).toBe(
      'WhatsApp does not have the media any more, and the phone did not upload it again',
    );
    simulator.setScript(own, {});
    for (const id of harness.sent.keys()) {
      const outcome = await download(id);
      expect(outcome).toEqual({ kind: 'done', result: { media: storedOf(harness, id) } });
      expect(await stored(harness, mediaIn(outcome))).toBe(PIXEL);
    }
    const silent = 'WhatsApp does not have the media any more, and the phone did not answer';
    expect(await receive('silent')).toBe(silent);
    // Asked just now: nobody waits for it again so soon.
    const { reuploads } = simulator.stats();
    const id = [...harness.sent.keys()].at(-1) ?? '';
    expect(await download(id)).toMatchObject({ kind: 'done', result: { media: { url: null, error: silent } } });
    expect(simulator.stats().reuploads).toBe(reuploads);
  });

  test('media of our own that WhatsApp has dropped comes from the phone too', async () => {
    const { harness, phone: own, run } = await world.paired();
    const { phone, chatId } = world.contact('Sitter');
    const { simulator } = world;
    const { id: group } = simulator.createGroup({ owner: phone, subject: 'Portraits', participants: [own] });
    await harness.event('group.v2.join');
    for (const [to, chat, participant] of [
      [phone, chatId, undefined],
      [group, chatOf(group), chatOf(own)],
    ] as const) {
      const { id } = await simulator.send(own, { to, image: IMAGE });
      const { payload } = (await harness.event('message.any', ({ key }) => key.includes(id))).body;
      known(harness, id, payload);
      await harness.media.deleteSome(`files/${harness.session}/${id}`);
      simulator.addFault({ kind: 'drop-media', count: 1 });
      const message = { chatId: chat, id, fromMe: true, ...(participant && { participant }) };
      const outcome = await run({ type: 'downloadMedia', message });
      expect(outcome).toMatchObject({ result: { media: payload.media } });
      expect(await stored(harness, mediaIn(outcome))).toBe(PIXEL);
    }
  });

  test('a host that goes while the phone is asked leaves the question to the next', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone } = world.contact('Interrupted Painter');
    const { simulator } = world;
    const before = simulator.stats().reuploads;
    simulator.setScript(own, { reupload: 'silent' });
    simulator.addFault({ kind: 'drop-media', count: 1 });
    const { id } = await simulator.send(phone, { to: own, image: IMAGE });
    await eventually('the question', () => simulator.stats().reuploads > before || undefined);
    await harness.engine.stop();
    expect(harness.events.filter(({ key }) => key.includes(id))).toEqual([]);
    simulator.setScript(own, {});
    const next = world.session({}, { state: harness.state });
    next.engine.start();
    const { media } = (await next.event('message')).body.payload;
    expect(media).toMatchObject({ error: null });
    expect(await stored(next, media)).toBe(PIXEL);
  });
});
