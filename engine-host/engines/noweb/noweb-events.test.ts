import { describe, expect, test } from 'vitest';
import { type EngineHarness, eventually } from '../engine-harness.ts';
import { useNowebWorld } from './noweb-world.ts';

const world = useNowebWorld();
const PARTY = { name: 'Party' };

/** The responses a session has told of so far, once there are so many. */
const responses = (harness: EngineHarness, count: number) =>
  eventually(`${count} responses`, () => {
    const told = harness.events.flatMap(({ body }) =>
      body.event === 'event.response' || body.event === 'event.response.failed' ? [body] : [],
    );
    return told.length >= count ? told : undefined;
  });
const words = (told: Awaited<ReturnType<typeof responses>>) =>
  told.map(({ event, payload }) => [event, payload.eventResponse?.response]);

describe('responses to calendar events', () => {
  test('to one that the owner has sent: each time he changes his mind, with phone number and LID', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone, chatId, lid } = world.contact('Guest');
    const { id: event } = await world.simulator.send(own, { to: phone, event: PARTY });
    await harness.event('message.any');
    await world.simulator.inbox(phone, { waitMs: 5_000 });
    const ids: string[] = [];
    for (const response of ['MAYBE', 'NOT_GOING', 'GOING'] as const) {
      const eventResponse = { id: event, response, extraGuestCount: response === 'GOING' ? 2 : 0 };
      ids.push((await world.simulator.send(phone, { to: own, eventResponse })).id);
    }
    const told = await responses(harness, 3);
    expect(words(told)).toEqual([
      ['event.response', 'MAYBE'],
      ['event.response', 'NOT_GOING'],
      ['event.response', 'GOING'],
    ]);
    expect(told[2]?.payload).toEqual({
      id: `false_${chatId}_${ids[2]}`,
      timestamp: expect.closeTo(Date.now() / 1000, -2),
      from: chatId,
      fromMe: false,
      source: 'app',
      to: `${own}@c.us`,
      participant: null,
      eventCreationKey: { id: `true_${chatId}_${event}`, from: `${own}@c.us`, to: chatId, fromMe: true },
      eventResponse: { response: 'GOING', timestampMs: expect.closeTo(Date.now(), -5), extraGuestCount: 2 },
      _data: { lid: `${lid}@lid` },
    });
    expect(harness.events.filter(({ body }) => body.event === 'message')).toEqual([]);
  });

  test.each(['lid', 'pn'] as const)(
    'in a group that is addressed by %s, of a member and of our own phone',
    async (addressing) => {
      const { harness, phone: own } = await world.paired();
      const [ann, ben] = [world.contact(`Ann invites by ${addressing}`), world.contact(`Ben comes by ${addressing}`)];
      const { simulator } = world;
      const participants = [own, ben.phone];
      const { id: group } = simulator.createGroup({ owner: ann.phone, subject: 'Fun', participants, addressing });
      await harness.event('group.v2.join');
      const { id } = await simulator.send(ann.phone, { to: group, event: PARTY });
      for (const phone of [ben.phone, own]) await simulator.inbox(phone, { waitMs: 5_000 });
      await simulator.send(ben.phone, { to: group, eventResponse: { id, response: 'GOING' } });
      await simulator.send(own, { to: group, eventResponse: { id, response: 'MAYBE' } });
      const told = await responses(harness, 2);
      expect(words(told)).toEqual([
        ['event.response', 'GOING'],
        ['event.response', 'MAYBE'],
      ]);
      const eventCreationKey = {
        id: `false_${group}_${id}_${ann.chatId}`,
        from: group,
        to: `${own}@c.us`,
        fromMe: false,
        participant: ann.chatId,
      };
      expect(told.map(({ payload }) => payload)).toMatchObject([
        { from: group, fromMe: false, participant: ben.chatId, eventCreationKey, _data: { lid: `${ben.lid}@lid` } },
        { to: group, fromMe: true, participant: `${own}@c.us`, eventCreationKey },
      ]);
    },
  );

  test('the secret outlives the host that received the event, and one that could not publish the response', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone, chatId } = world.contact('Patient Host');
    const { id } = await world.simulator.send(phone, { to: own, event: PARTY });
    const { payload } = (await harness.event('message')).body;
    expect(payload).toMatchObject({ body: 'Party', _data: { type: 'event' } });
    await harness.engine.stop();
    const second = world.session({}, { state: harness.state, publish: () => {} });
    second.engine.start();
    await second.reaches('WORKING');
    await world.simulator.send(phone, { to: own, eventResponse: { id, response: 'GOING' } });
    await responses(second, 1);
    await second.engine.stop();
    const third = world.session({}, { state: harness.state });
    third.engine.start();
    const [told] = await responses(third, 1);
    expect(told).toMatchObject({
      event: 'event.response',
      payload: { eventResponse: { response: 'GOING' }, eventCreationKey: { id: `false_${chatId}_${id}` } },
    });
  });

  test('to an event that only the read model has', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone } = world.contact('Late Guest');
    const { id } = await world.simulator.send(phone, { to: own, event: PARTY });
    const { _data } = (await harness.event('message')).body.payload;
    harness.sent.set(id, Buffer.from(String(_data?.content), 'base64'));
    harness.state.append(harness.state.keys('poll/').map((key) => ({ key, value: null })));
    await world.simulator.send(own, { to: phone, eventResponse: { id, response: 'MAYBE' } });
    expect(words(await responses(harness, 1))).toEqual([['event.response', 'MAYBE']]);
  });

  test('that cannot be read: the event is unknown, or its secret another', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone, chatId } = world.contact('Odd Guest');
    const eventCreationMessageKey = { remoteJid: `${own}@s.whatsapp.net`, fromMe: true, id: '3EB0UNKNOWN' };
    const sealed = { encPayload: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=', encIv: 'AAAAAAAAAAAAAAAA' };
    const send = (key?: object) =>
      world.simulator.send(phone, {
        to: own,
        raw: { encEventResponseMessage: { ...sealed, ...(key && { eventCreationMessageKey: key }) } },
      });
    await send(eventCreationMessageKey);
    const { id } = await world.simulator.send(own, { to: phone, event: PARTY });
    await harness.event('message.any');
    await send({ ...eventCreationMessageKey, fromMe: false, id });
    // Who responds to nothing must not get stuck either.
    await send();
    await world.simulator.send(phone, { to: own, text: 'after them' });
    await harness.event('message');
    const told = await responses(harness, 2);
    expect(words(told)).toEqual([
      ['event.response.failed', undefined],
      ['event.response.failed', undefined],
    ]);
    expect(told.map(({ payload }) => [payload.eventResponse, payload.eventCreationKey.id])).toEqual([
      [null, `false_${chatId}_3EB0UNKNOWN`],
      [null, `true_${chatId}_${id}`],
    ]);
    await eventually('an empty inbox', () => harness.state.keys('inbox/').length === 0 || undefined);
  });
});
