import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { MemoryChatStore } from '#shared/adapters/memory/memory-chat-store.ts';
import { MemoryMessageStore } from '#shared/adapters/memory/memory-message-store.ts';
import type { EventBody, EventEnvelope } from '#shared/contracts/events.ts';
import { ValidationError } from '#shared/domain/errors.ts';
import { type Ack, ackName } from '#shared/domain/message-ack.ts';
import { formatMessageId, parseMessageId } from '#shared/domain/message-id.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { waMessage } from '#test/contracts/rows.ts';
import { project, targetOf } from './projections.ts';

const CHAT = '4915100000001@c.us';
const OTHER = '4915100000002@c.us';
const GROUP = '120363000000000001@g.us';
const OWN = '4915109999999@c.us';

function models() {
  const messages = new MemoryMessageStore();
  const chats = new MemoryChatStore();
  const run = async (...events: readonly EventEnvelope[]) => {
    for (const event of events) await project(event, { messages, chats });
  };
  const everything = async () => ({
    messages: await messages.query('alpha', { limit: 1000, offset: 0, sortOrder: 'asc' }),
    chats: await chats.query('alpha', { limit: 1000, offset: 0, sortBy: 'id', sortOrder: 'asc' }),
  });
  return { messages, run, everything };
}

const CHOSEN_IDS = [
  'MY_OWN_ID',
  'A',
  'A'.repeat(500),
  `X_${CHAT}`,
  'true_12345_ABC',
  `false_${CHAT}_X`,
  'a b/c#d',
  '漢'.repeat(2000),
];

const longId = (id: string, chat = CHAT) => `false_${chat}_${id}`;
const ackOf = (event: 'message.ack' | 'message.ack.group', id: string, ack: Ack): EventBody => ({
  event,
  payload: { id: longId(id), from: CHAT, to: OWN, participant: null, fromMe: false, ack, ackName: ackName(ack) },
});
const reactionTo = (id: string, text: string, fromMe = false, chat = CHAT): EventBody => ({
  event: 'message.reaction',
  payload: { ...waMessage({ id: 'REACT1', chatId: chat, fromMe }), reaction: { text, messageId: longId(id) } },
});
const editOf = (id: string, body: string, chatId = CHAT, fromMe = false): EventBody => ({
  event: 'message.edited',
  payload: {
    ...waMessage({ id: 'EDIT01', chatId, fromMe, body, _data: { content: 'bmV3' } }),
    editedMessageId: id,
  },
});
const revocationOf = (id: string, chatId = CHAT): EventBody => ({
  event: 'message.revoked',
  payload: { revokedMessageId: id, chatId, after: waMessage({ id: 'REVOK1', chatId }), before: null },
});

const mediaOf = (id: string, error: string | null, chat = CHAT): EventBody => ({
  event: 'message.media',
  payload: {
    id: longId(id, chat),
    timestamp: 1,
    from: chat,
    to: OWN,
    participant: null,
    fromMe: false,
    media: { url: null, mimetype: 'image/png', filename: null, s3: null, error },
    _data: {},
  },
});

describe('projections', () => {
  it('adds an incoming message and its chat, named by the sender', async () => {
    const { run, everything } = models();
    const message = waMessage({ id: 'AAAAA1', timestamp: 50, _data: { pushName: 'Ada' } });
    await run(
      eventEnvelope({ event: 'message.any', payload: message }),
      eventEnvelope({ event: 'message.any', payload: message }),
    );
    expect(await everything()).toMatchObject({
      messages: [{ id: 'AAAAA1', chatId: CHAT, message }],
      chats: [{ chatId: CHAT, name: 'Ada', lastMessageId: 'AAAAA1', timestamp: 50 }],
    });
  });

  it.each([
    ['an own message', waMessage({ id: 'AAAAA1', fromMe: true, _data: { pushName: 'Me' } })],
    ['a message in a group', waMessage({ id: 'AAAAA1', chatId: GROUP, _data: { pushName: 'Ada' } })],
  ])('takes no name of a chat from %s', async (_, payload) => {
    const { run, everything } = models();
    await run(eventEnvelope({ event: 'message.any', payload }));
    expect((await everything()).chats).toMatchObject([{ name: null }]);
  });

  it('keeps status updates out of the chats', async () => {
    const { run, everything } = models();
    await run(
      eventEnvelope({ event: 'message.any', payload: waMessage({ id: 'AAAAA1', chatId: 'status@broadcast' }) }),
    );
    expect(await everything()).toMatchObject({ messages: [{ chatId: 'status@broadcast' }], chats: [] });
  });

  it('raises the ack; a participant of a group proves only that a device has it', async () => {
    const { run, messages } = models();
    await run(eventEnvelope({ event: 'message.any', payload: waMessage({ id: 'AAAAA1', ack: 0 }) }));
    await run(eventEnvelope(ackOf('message.ack.group', 'AAAAA1', 3)));
    expect(await messages.get('alpha', 'AAAAA1')).toMatchObject({ ack: 2 });
    await run(eventEnvelope(ackOf('message.ack', 'AAAAA1', 3)));
    expect(await messages.get('alpha', 'AAAAA1')).toMatchObject({ ack: 3 });
  });

  it('writes nothing for the ack of the server, which the message itself has', async () => {
    const { run, messages } = models();
    const raiseAck = vi.spyOn(messages, 'raiseAck');
    await run(eventEnvelope(ackOf('message.ack', 'AAAAA1', 1)), eventEnvelope(ackOf('message.ack.group', 'AAAAA1', 1)));
    expect(raiseAck).not.toHaveBeenCalled();
    await run(eventEnvelope(ackOf('message.ack', 'AAAAA1', 2)));
    expect(raiseAck).toHaveBeenCalledOnce();
  });

  it('keeps the latest reaction, edits and revocations', async () => {
    const { run, messages } = models();
    await run(
      eventEnvelope({ event: 'message.any', payload: waMessage({ id: 'AAAAA1' }) }),
      eventEnvelope(reactionTo('AAAAA1', ''), { timestamp: 20 }),
      eventEnvelope(reactionTo('AAAAA1', '👍'), { timestamp: 10 }),
      eventEnvelope(reactionTo('AAAAA1', '🎉', true), { timestamp: 10 }),
      eventEnvelope(editOf('AAAAA1', 'edited'), { timestamp: 30 }),
      eventEnvelope(revocationOf('AAAAA1'), { timestamp: 40 }),
    );
    expect(await messages.get('alpha', 'AAAAA1')).toMatchObject({
      reactions: { [OWN]: '🎉' },
      editedAt: 30,
      revokedAt: 40,
      message: { body: 'edited', _data: { content: 'bmV3' } },
    });
    expect((await messages.get('alpha', 'AAAAA1'))?.reactions).not.toHaveProperty([CHAT]);
  });

  it('shows media that came later than its message', async () => {
    const { run, messages } = models();
    await run(eventEnvelope({ event: 'message.any', payload: waMessage({ id: 'AAAAA1' }) }));
    await run(eventEnvelope(mediaOf('AAAAA1', null)));
    expect(await messages.get('alpha', 'AAAAA1')).toMatchObject({ message: { media: { mimetype: 'image/png' } } });
  });

  it('keeps media without the address that the event had, which may be another tomorrow', async () => {
    const { run, messages } = models();
    const at = (address: string) => ({
      url: `${address}/api/files/alpha/a.png`,
      mimetype: 'image/png',
      filename: null,
      s3: { Bucket: 'media', Key: 'files/alpha/a.png' },
      error: null,
    });
    const media = at('');
    const payload = waMessage({ id: 'AAAAA1', media: at('https://old.example.com/v1') });
    const told = { ...payload, mediaUrl: payload.media?.url ?? '' };
    await run(eventEnvelope({ event: 'message.any', payload: told }));
    expect((await messages.get('alpha', 'AAAAA1'))?.message).toEqual({ ...payload, media });
    const later = mediaOf('AAAAA1', null);
    if (later.event !== 'message.media') throw new Error('not of media');
    await run(eventEnvelope({ ...later, payload: { ...later.payload, media: at('https://wa.example.com') } }));
    expect((await messages.get('alpha', 'AAAAA1'))?.message).toEqual({ ...payload, media });
  });

  it('takes nobody’s word for a message of another chat', async () => {
    const { run, messages } = models();
    const message = waMessage({ id: 'AAAAA1', body: 'pay 10', fromMe: true });
    const media = mediaOf('AAAAA1', 'forged', OTHER);
    const forged = [editOf('AAAAA1', 'pay 1000000', OTHER), reactionTo('AAAAA1', '👎', false, OTHER)];
    const others = [revocationOf('AAAAA1', OTHER), editOf('AAAAA1', 'pay 1000000'), revocationOf('AAAAA1'), media];
    for (const body of [...forged, ...others]) await run(eventEnvelope(body));
    await run(eventEnvelope({ event: 'message.any', payload: message }));
    for (const body of [...forged, ...others]) await run(eventEnvelope(body, { timestamp: 2_000_000 }));
    const row = await messages.get('alpha', 'AAAAA1');
    expect(row).toMatchObject({ message, reactions: {} });
    expect([row?.editedAt, row?.revokedAt]).toEqual([undefined, undefined]);
    await run(eventEnvelope(editOf('AAAAA1', 'pay 20', CHAT, true)));
    expect(await messages.get('alpha', 'AAAAA1')).toMatchObject({ message: { body: 'pay 20' } });
  });

  it('does not let a message hide another by its id', async () => {
    const { run, everything } = models();
    const stranger = waMessage({ id: 'AAAAA1', chatId: OTHER, timestamp: 1 });
    await run(eventEnvelope({ event: 'message.any', payload: stranger }));
    const message = waMessage({ id: 'AAAAA1', timestamp: 2 });
    await run(eventEnvelope({ event: 'message.any', payload: message }));
    expect((await everything()).messages).toMatchObject([{ message: stranger }, { message }]);
  });

  it('takes an edit or a revocation by nobody known for no one’s', async () => {
    const { run, messages } = models();
    await run(eventEnvelope({ event: 'message.any', payload: waMessage({ id: 'AAAAA1' }) }));
    const payload = { revokedMessageId: 'AAAAA1', chatId: CHAT, after: null, before: null };
    await run(eventEnvelope({ event: 'message.revoked', payload }));
    expect(await messages.get('alpha', 'AAAAA1')).not.toHaveProperty('revokedAt');
  });

  it.each(CHOSEN_IDS)('projects whatever a sender takes for an id: %j', async (id) => {
    const { run, messages, everything } = models();
    const { id: long, ...payload } = waMessage({ id, timestamp: 5 });
    const key = parseMessageId(longId('X'));
    if (key === undefined) throw new Error(long);
    const told = formatMessageId({ ...key, id });
    const events = [
      eventEnvelope(editOf(id, 'edited')),
      eventEnvelope({ event: 'message.any', payload: { ...payload, id: told } }),
      eventEnvelope({
        event: 'message.reaction',
        payload: { ...payload, id: told, reaction: { text: '👍', messageId: told } },
      }),
      eventEnvelope(revocationOf(id)),
    ];
    await run(...events);
    const row = { message: { id: told, body: 'edited' }, reactions: { [CHAT]: '👍' }, revokedAt: 1_000_000 };
    expect(await everything()).toMatchObject({ messages: [row], chats: [{ chatId: CHAT }] });
    expect(await messages.get('alpha', id)).toMatchObject(row);
    expect(new Set(events.map(targetOf)).size).toBe(1);
  });

  it('refuses what is no message of an engine’s, and changes nothing', async () => {
    const { run, everything } = models();
    const payload = { ...waMessage({ id: 'AAAAA1' }), id: 'AAAAA1' };
    await expect(run(eventEnvelope({ event: 'message.any', payload }))).rejects.toBeInstanceOf(ValidationError);
    const edit = { ...payload, editedMessageId: 'AAAAA1' };
    await expect(run(eventEnvelope({ event: 'message.edited', payload: edit }))).rejects.toBeInstanceOf(
      ValidationError,
    );
    expect(await everything()).toEqual({ messages: [], chats: [] });
  });

  const ids = fc.constantFrom('AAAAA1', 'AAAAA2', 'AAAAA3');
  const acks = fc.constantFrom<Ack>(-1, 0, 1, 2, 3, 4);
  const times = fc.integer({ min: 1, max: 4 });
  const texts = fc.constantFrom('', 'a', 'b');
  const chats = fc.constantFrom(CHAT, OTHER);
  const sides = fc.boolean();
  /** A message has one content, whenever and however often it is announced. */
  const contents: Record<string, ReturnType<typeof waMessage>> = {
    AAAAA1: waMessage({ id: 'AAAAA1', timestamp: 7, _data: { pushName: 'Old' } }),
    AAAAA2: waMessage({ id: 'AAAAA2', timestamp: 9, _data: { pushName: 'New' } }),
    AAAAA3: waMessage({ id: 'AAAAA3', timestamp: 9, fromMe: true, ack: 0 }),
  };
  const bodies: fc.Arbitrary<EventBody> = fc.oneof(
    ids.map((id) => ({ event: 'message.any' as const, payload: contents[id] ?? waMessage({ id }) })),
    ids.map((id) => ({ event: 'message.any' as const, payload: waMessage({ id, chatId: OTHER, timestamp: 8 }) })),
    fc
      .tuple(fc.constantFrom<'message.ack' | 'message.ack.group'>('message.ack', 'message.ack.group'), ids, acks)
      .map(([event, id, ack]) => ackOf(event, id, ack)),
    fc.tuple(ids, texts, sides, chats).map((parts) => reactionTo(...parts)),
    fc.tuple(ids, texts, chats, sides).map((parts) => editOf(...parts)),
    fc.tuple(ids, chats).map((parts) => revocationOf(...parts)),
    fc.tuple(ids, texts, chats).map((parts) => mediaOf(...parts)),
  );
  const someEvents = fc.array(
    fc.tuple(bodies, times).map(([body, timestamp]) => eventEnvelope(body, { timestamp })),
    {
      maxLength: 25,
    },
  );
  const orders = someEvents.chain((events) =>
    fc.tuple(
      fc.constant(events),
      fc.shuffledSubarray([...events, ...events], { minLength: 2 * events.length, maxLength: 2 * events.length }),
    ),
  );

  it('gives the same read models for every order of the same events, each once or twice', async () => {
    await fc.assert(
      fc.asyncProperty(orders, async ([inOrder, shuffledTwice]) => {
        const [one, other] = [models(), models()];
        await one.run(...inOrder);
        await other.run(...shuffledTwice);
        expect(await other.everything()).toEqual(await one.everything());
      }),
      { numRuns: 300 },
    );
  });
});
