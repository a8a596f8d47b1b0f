import { proto, type WAMessage } from '@whiskeysockets/baileys';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { parseMessageId, writtenMessageId } from '#shared/domain/message-id.ts';
import type { EngineEvent } from '../engine.ts';
import { type Emit, Inbound } from './inbound.ts';
import { chatOf } from './noweb-world.ts';

const ME = chatOf('4915199999999');
const [ANN, BEN] = ['4915100000001@s.whatsapp.net', '4915100000002@s.whatsapp.net'];
const ANN_LID = '77777777771@lid';

function setUp(otherAddress: (jid: string) => string | undefined = () => undefined) {
  const events: EngineEvent[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const inbound = new Inbound({
    me: () => ME,
    lookUpOther: async (jid) => otherAddress(jid),
    otherAddress,
    findSecret: async () => undefined,
    ownJids: () => [],
    storeMedia: async () => {
      await promise;
      return { url: '/api/files/s/1.jpg', mimetype: 'image/jpeg', filename: null, error: null };
    },
    emit: (event) => events.push(event),
    logger: pino({ level: 'silent' }),
  });
  const bodies = () => events.flatMap(({ body }) => (body.event === 'message' ? [body.payload.body] : []));
  return { inbound, events, bodies, downloaded: resolve };
}

const message = (remoteJid: string, id: string, content: proto.IMessage): WAMessage => ({
  key: { remoteJid, id, fromMe: false },
  message: content,
  messageTimestamp: 1_700_000_000,
});

describe('Inbound', () => {
  test('a slow download holds up its own chat only', async () => {
    const { inbound, bodies, downloaded } = setUp();
    const image = inbound.accept(message(ANN, 'AAAAAA', { imageMessage: { caption: 'image' } }), 'app');
    const text = inbound.accept(message(ANN, 'BBBBBB', { conversation: 'after the image' }), 'app');
    await inbound.accept(message(BEN, 'CCCCCC', { conversation: 'elsewhere' }), 'app');
    expect(bodies()).toEqual(['elsewhere']);
    downloaded();
    await Promise.all([image, text]);
    expect(bodies()).toEqual(['elsewhere', 'image', 'after the image']);
  });

  describe('keeps the order of a chat whose address is a number here and a LID there', () => {
    const others = new Map([
      [ANN, ANN_LID],
      [ANN_LID, ANN],
    ]);
    const other = (jid: string) => others.get(jid);
    const image = (key: WAMessage['key']) => ({
      ...message('', '', { imageMessage: { caption: 'image' } }),
      key: { id: 'AAAAAA', fromMe: false, ...key },
    });
    const reply = (remoteJid: string) => ({
      ...message('', '', { conversation: 'reply' }),
      key: { remoteJid, id: 'BBBBBB', fromMe: true },
    });
    const order = (events: readonly EngineEvent[]) =>
      events.flatMap(({ body }) => (body.event === 'message.any' ? [body.payload.body] : []));
    /** What is told when the download ends after all else was taken. */
    const told = async ({ inbound, events, downloaded }: ReturnType<typeof setUp>, ...taken: Promise<boolean>[]) => {
      await new Promise(setImmediate);
      downloaded();
      await Promise.all(taken);
      await inbound.idle();
      return order(events);
    };

    test.each([
      ['the stanza names both', { remoteJid: ANN_LID, remoteJidAlt: ANN }, ANN, undefined],
      ['the other is known', { remoteJid: ANN_LID }, ANN, other],
      ['the answer goes to the LID', { remoteJid: ANN }, ANN_LID, other],
    ])('%s', async (_, key, to, otherAddress) => {
      const world = setUp(otherAddress);
      const first = world.inbound.accept(image(key), 'app');
      expect(await told(world, first, world.inbound.accept(reply(to), 'api'))).toEqual(['image', 'reply']);
    });

    test('the other becomes known between the two', async () => {
      let isKnown = false;
      const world = setUp((jid) => (isKnown ? other(jid) : undefined));
      const first = world.inbound.accept(image({ remoteJid: ANN_LID }), 'app');
      isKnown = true;
      expect(await told(world, first, world.inbound.accept(reply(ANN), 'api'))).toEqual(['image', 'reply']);
    });

    test.each([
      ['another chat', BEN],
      ['all of a group', '120363000000000001@g.us'],
    ])('%s does not wait', async (_, to) => {
      const world = setUp(other);
      const first = world.inbound.accept(image({ remoteJid: ANN_LID, remoteJidAlt: ANN }), 'app');
      expect(await told(world, first, world.inbound.accept(reply(to), 'api'))).toEqual(['reply', 'image']);
    });
  });

  test('what tells of one message is in order by its id, also where nobody knows that two addresses are one person’s', async () => {
    const { inbound, events, downloaded } = setUp();
    const own = { ...message(ANN, '', { imageMessage: {} }), key: { remoteJid: ANN, id: 'AAAAAA', fromMe: true } };
    const sent = inbound.accept(own, 'api');
    const acks = [1, 2].map((ack) =>
      inbound.inOrder({ chats: [ANN_LID], ids: ['ZZZZZZ', 'AAAAAA'] }, async (emit) => {
        if (ack === 1) await new Promise(setImmediate);
        emit({ body: { event: 'engine.event', payload: { event: `ack ${ack}`, data: {} } }, key: '', timestamp: 0 });
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 10));
    downloaded();
    await Promise.all([sent, ...acks]);
    const names = events.map(({ body }) => (body.event === 'engine.event' ? body.payload.event : body.event));
    expect(names).toEqual(['message.any', 'message.ack', 'ack 1', 'ack 2']);
  });

  test.each([ANN, ANN_LID, 'account'])('an id that its sender has chosen holds up no other chat: %j', async (id) => {
    const { inbound, events, downloaded } = setUp((jid) => (jid === ANN ? ANN_LID : undefined));
    const image = inbound.accept(message(BEN, id, { imageMessage: { caption: 'image' } }), 'app');
    const work = (name: string) => async (emit: Emit) =>
      emit({ body: { event: 'engine.event', payload: { event: name, data: {} } }, key: '', timestamp: 0 });
    const acks = inbound.inOrder({ chats: [BEN], ids: [ANN, ANN_LID] }, work('acks'));
    await inbound.inOrder({ chats: [ANN] }, work('of the chat'));
    await inbound.inOrder({}, work('of the account'));
    const names = () => events.flatMap(({ body }) => (body.event === 'engine.event' ? [body.payload.event] : []));
    expect(names()).toEqual(['of the chat', 'of the account']);
    downloaded();
    await Promise.all([image, acks]);
    expect(names()).toEqual(['of the chat', 'of the account', 'acks']);
  });

  test('an edit has the server’s time, whatever its sender says', async () => {
    const { inbound, events } = setUp();
    const protocolMessage = {
      type: proto.Message.ProtocolMessage.Type.MESSAGE_EDIT,
      key: { remoteJid: ANN, id: 'AAAAAA', fromMe: false },
      editedMessage: { conversation: 'new' },
      timestampMs: 9e15,
    };
    await inbound.accept(message(ANN, 'BBBBBB', { protocolMessage }), 'app');
    expect(events.map(({ body, timestamp }) => [body.event, timestamp])).toEqual([
      ['message.edited', 1_700_000_000_000],
    ]);
  });

  test.each(['MY_OWN_ID', 'A', `X_${chatOf('4915100000001')}`, '漢'.repeat(5000)])(
    'a message is read by its long id, whatever its sender has chosen: %j',
    async (id) => {
      const { inbound, events } = setUp();
      await inbound.accept(message(BEN, id, { conversation: 'hi' }), 'app');
      await inbound.accept(message(BEN, 'REACT1', { reactionMessage: { key: { id }, text: '👍' } }), 'app');
      const [first, , reaction] = events;
      if (first?.body.event !== 'message' || reaction?.body.event !== 'message.reaction') throw new Error('no events');
      const key = parseMessageId(first.body.payload.id);
      expect(key).toMatchObject({ fromMe: false, chatId: '4915100000002@c.us' });
      expect(key).not.toHaveProperty('participant');
      expect(writtenMessageId(key?.id ?? '')).toBe(writtenMessageId(id));
      expect(reaction.body.payload.reaction.messageId).toBe(first.body.payload.id);
    },
  );

  test('the same message gives the same keys and times again', async () => {
    const { inbound, events } = setUp();
    const again = message(ANN, 'AAAAAA', { conversation: 'hi' });
    await inbound.accept(again, 'app');
    await inbound.accept(again, 'app');
    const facts = events.map(({ body, key, timestamp }) => ({ event: body.event, key, timestamp }));
    expect(facts.slice(2)).toEqual(facts.slice(0, 2));
    expect(facts[0]).toEqual({
      event: 'message',
      key: 'false_4915100000001@c.us_AAAAAA',
      timestamp: 1_700_000_000_000,
    });
  });

  test('whom a message answers and mentions is named by phone number, also when it is edited', async () => {
    const lid = '77777777777@lid';
    const { inbound, events } = setUp((jid) => (jid === lid ? BEN : undefined));
    const contextInfo = { stanzaId: 'QUOTED', participant: lid, mentionedJid: [lid], nonJidMentions: 1 };
    const extendedTextMessage = { text: 'hi', contextInfo };
    await inbound.accept(message(ANN, 'AAAAAA', { extendedTextMessage }), 'app');
    const type = proto.Message.ProtocolMessage.Type.MESSAGE_EDIT;
    const protocolMessage = { type, key: { id: 'AAAAAA' }, editedMessage: { extendedTextMessage } };
    await inbound.accept(message(ANN, 'BBBBBB', { protocolMessage }), 'app');
    expect(events.map(({ body }) => body.event)).toEqual(['message', 'message.any', 'message.edited']);
    for (const { body } of events) {
      expect(body.payload).toMatchObject({
        replyTo: { id: 'QUOTED', participant: '4915100000002@c.us', _data: { lid } },
        _data: { mentions: ['4915100000002@c.us'], mentionedLids: [lid], mentionsAll: true },
      });
    }
  });

  test('a message of the API is followed by the server’s ack in the same turn, and one of the phone is not', async () => {
    const { inbound, events } = setUp();
    const key = { remoteJid: ANN, id: 'AAAAAA', fromMe: true };
    let turns = 0;
    const own = { ...message(ANN, 'AAAAAA', { conversation: 'hi' }), key };
    const accepted = inbound.accept(own, 'api', undefined, 'the trace');
    while (events.length === 0) {
      turns += 1;
      await Promise.resolve();
      expect(turns).toBeLessThan(100);
    }
    expect(events.map(({ body, key: each, traceparent }) => [body.event, each, traceparent])).toEqual([
      ['message.any', 'true_4915100000001@c.us_AAAAAA', 'the trace'],
      ['message.ack', 'true_4915100000001@c.us_AAAAAA_1', 'the trace'],
    ]);
    await accepted;
    await inbound.accept(own, 'app');
    expect(events.map(({ body }) => body.event)).toEqual(['message.any', 'message.ack', 'message.any']);
  });

  test('a message that cannot be decrypted yet is waited for', async () => {
    const { inbound, events } = setUp();
    const stub = { key: { remoteJid: ANN, id: 'AAAAAA', fromMe: false }, messageTimestamp: 1_700_000_000 };
    await inbound.accept({ ...stub, messageStubType: proto.WebMessageInfo.StubType.CIPHERTEXT }, 'app');
    expect(events.map(({ body }) => body.event)).toEqual(['message.waiting']);
  });

  test('a happening that cannot be converted does not stop the chat', async () => {
    const { inbound, bodies } = setUp();
    const broken = await inbound.inOrder({ chats: [ANN] }, async () => {
      throw new Error('broken');
    });
    expect(broken).toBe(false);
    expect(await inbound.accept(message(ANN, 'AAAAAA', { conversation: 'goes on' }), 'app')).toBe(true);
    expect(bodies()).toEqual(['goes on']);
  });
});
