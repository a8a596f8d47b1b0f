import { describe, expect, test } from 'vitest';
import type { EngineEvent } from '../engine.ts';
import { chatOf, useNowebWorld } from './noweb-world.ts';

const world = useNowebWorld();

const factsOf = (events: readonly EngineEvent[]) =>
  events.flatMap(({ body }) =>
    body.event === 'message' || body.event === 'message.any'
      ? [[body.event, body.payload.from, body.payload._data?.type, body.payload.body]]
      : [],
  );

describe('content that has no reader of its own', () => {
  test('becomes a message with what of it is text; keys, pins and settings become none', async () => {
    const { harness, phone: own } = await world.paired();
    const { phone, chatId } = world.contact('Customer');
    const raws: readonly Record<string, unknown>[] = [
      { senderKeyDistributionMessage: { groupId: '120363000000000001@g.us' } },
      { pinInChatMessage: { type: 1, senderTimestampMs: 1 } },
      { ephemeralMessage: { message: { protocolMessage: { type: 3, ephemeralExpiration: 86_400 } } } },
      { orderMessage: { orderId: '1', message: 'I would like this' } },
      { sendPaymentMessage: { noteMessage: { conversation: 'for lunch' } } },
      { interactiveResponseMessage: { body: { text: 'Yes' } } },
      { groupStatusMessageV2: { message: { conversation: 'hi group' } } },
      { encCommentMessage: { encPayload: 'AAAA', encIv: 'AAAA' } },
    ];
    for (const raw of raws) await world.simulator.send(phone, { to: own, raw });
    await world.simulator.send(phone, { to: own, text: 'last' });
    await harness.event('message.any', ({ body }) => JSON.stringify(body).includes('"last"'));
    const seen = [
      ['unknown', 'I would like this'],
      ['unknown', 'for lunch'],
      ['interactive-response', 'Yes'],
      ['text', 'hi group'],
      ['unknown', ''],
      ['text', 'last'],
    ];
    expect(factsOf(harness.events)).toEqual(
      seen.flatMap(([type, body]) => [
        ['message', chatId, type, body],
        ['message.any', chatId, type, body],
      ]),
    );
  });
});

describe('the chat of WhatsApp itself', () => {
  test('its messages become events, and nothing is sent there', async () => {
    const { harness, phone: own, run } = await world.paired();
    const { phone } = world.simulator.addContact({ phone: '0', name: 'WhatsApp' });
    const { id } = await world.simulator.send(phone, { to: own, text: 'There is a new feature' });
    const told = await harness.event('message');
    expect(told.key).toBe(`false_0@c.us_${id}`);
    expect(told.body.payload).toMatchObject({
      id: `false_0@c.us_${id}`,
      from: '0@c.us',
      body: 'There is a new feature',
    });
    const sent = world.simulator.stats().messagesIn;
    const outcome = await run({ type: 'sendText', chatId: chatOf('0@c.us'), text: 'thanks' });
    expect(outcome).toMatchObject({ kind: 'rejected', code: 'not-a-recipient' });
    expect(world.simulator.stats().messagesIn).toBe(sent);
  });
});
