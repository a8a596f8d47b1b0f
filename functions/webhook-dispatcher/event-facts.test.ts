import { describe, expect, it } from 'vitest';
import type { EventBody } from '#shared/contracts/events.ts';
import type { WaMessage } from '#shared/contracts/message.ts';
import { passesFilter } from '#shared/domain/webhook-filter.ts';
import { eventEnvelope } from '#test/contracts/events.ts';
import { waMessage } from '#test/contracts/rows.ts';
import { eventFacts } from './event-facts.ts';

const CHAT = '4915100000001@c.us';
const GROUP = '120363000000000001@g.us';
const ME = { id: '4915109999999@c.us', lid: '77777777777@lid', pushName: null, jid: null };
const facts = (body: EventBody) => eventFacts(eventEnvelope(body, { me: ME }));
const message = (fields: Partial<WaMessage> = {}) => ({ ...waMessage({ id: 'AAAAAA1', chatId: GROUP }), ...fields });
const inGroup = (fields: Partial<WaMessage>) => facts({ event: 'message', payload: message(fields) }).message;

describe('what is known of a message', () => {
  it('is its chat, its text, who wrote it', () => {
    expect(facts({ event: 'message.any', payload: waMessage({ id: 'AAAAAA1', body: 'Hi', fromMe: true }) })).toEqual({
      chatId: CHAT,
      own: true,
      message: { text: 'Hi', kind: 'written', addressed: false },
    });
  });

  it.each<[string, Partial<WaMessage>, boolean]>([
    ['by nothing', {}, false],
    ['by its number', { _data: { mentions: ['4915100000005@c.us', ME.id] } }, true],
    ['by its LID', { _data: { mentions: [ME.lid] } }, true],
    ['not with another', { _data: { mentions: ['4915100000005@c.us'] } }, false],
    ['with everybody', { _data: { mentions: [], mentionsAll: true } }, true],
    ['by a reply', { replyTo: { id: 'X', participant: ME.id } }, true],
    ['by a reply to its LID', { replyTo: { id: 'X', participant: ME.lid } }, true],
    ['not by a reply to somebody', { replyTo: { id: 'X', participant: CHAT } }, false],
    ['not by a reply to nobody', { replyTo: { id: 'X', participant: null } }, false],
  ])('is whether it is addressed: %s', (_, fields, addressed) => {
    expect(inGroup(fields)?.addressed).toBe(addressed);
  });

  it('is of which kind it is', () => {
    expect(inGroup({ _data: { type: 'unknown' } })?.kind).toBe('unsupported');
    expect(inGroup({ from: '0@c.us' })?.kind).toBe('system');
    expect(facts({ event: 'message.waiting', payload: { ...message() } })).toMatchObject({
      chatId: GROUP,
      message: { kind: 'unsupported' },
    });
  });

  it.each<[string, string, unknown, string | undefined]>([
    ['by its number', CHAT, {}, undefined],
    ['by its number, as long as nobody knows the LID', CHAT, { lid: null }, undefined],
    ['by both', CHAT, { lid: ME.lid }, ME.lid],
    ['by its LID', ME.lid, {}, ME.lid],
    ['not by the LID of who wrote in it', GROUP, { lid: ME.lid }, undefined],
  ])('is how its chat is known: %s', (_, chatId, _data, chatLid) => {
    const payload = { ...waMessage({ id: 'AAAAAA1', chatId }), _data: { ...Object(_data) } };
    for (const body of [
      { event: 'message' as const, payload },
      { event: 'message.revoked' as const, payload: { revokedMessageId: 'X', chatId, after: payload, before: null } },
    ]) {
      expect(facts(body)).toMatchObject(chatLid === undefined ? { chatId } : { chatId, chatLid });
      expect('chatLid' in facts(body)).toBe(chatLid !== undefined);
    }
  });
});

describe('the chat of a message whose id nobody expects', () => {
  const OTHER = '4915100000002@c.us';
  const ids = ['MY_OWN_ID', 'A', 'A'.repeat(500), `X_${CHAT}`, ''];
  const chats = [OTHER, GROUP, 'status@broadcast'];
  it.each(ids.flatMap((id) => chats.map((chatId) => [id, chatId] as const)))('%j in %s', (id, chatId) => {
    const payload = waMessage({ id, chatId });
    const vote = { id: payload.id, from: payload.from, to: payload.to, fromMe: false };
    const media = { url: null, mimetype: null, filename: null, error: null };
    const bodies: readonly EventBody[] = [
      { event: 'message', payload },
      { event: 'message.any', payload },
      { event: 'message.waiting', payload },
      { event: 'message.edited', payload: { ...payload, editedMessageId: id } },
      { event: 'message.reaction', payload: { ...payload, reaction: { text: '👍', messageId: id } } },
      { event: 'message.ack', payload },
      { event: 'message.media', payload: { ...payload, media, _data: {} } },
      { event: 'poll.vote', payload: { vote: { ...vote, selectedOptions: [], timestamp: 1 }, poll: vote } },
      { event: 'message.revoked', payload: { revokedMessageId: id, chatId, after: payload, before: null } },
    ];
    for (const found of bodies.map(facts)) {
      expect(found.chatId).toBe(chatId);
      expect(passesFilter({ allow: new Set([CHAT]) }, found)).toBe(false);
      expect(passesFilter({ deny: new Set([chatId]) }, found)).toBe(false);
    }
  });
});

describe('what is known of other events', () => {
  const media = { url: '/api/files/alpha/X.jpg', mimetype: 'image/jpeg', filename: null, s3: null, error: null };
  const vote = { id: `false_${CHAT}_AAAAAA1`, from: CHAT, to: ME.id, fromMe: false };
  const common = { from: ME.id, to: CHAT, participant: null, fromMe: true };
  it.each<[EventBody, ReturnType<typeof eventFacts>]>([
    [
      { event: 'message.ack', payload: { ...common, id: `true_${CHAT}_AAAAAA1`, ack: 3, ackName: 'READ' } },
      { chatId: CHAT },
    ],
    [
      {
        event: 'message.reaction',
        payload: {
          ...common,
          id: `true_${CHAT}_AAAAAA1`,
          timestamp: 1,
          source: 'app',
          reaction: { text: '👍', messageId: 'X' },
        },
      },
      { chatId: CHAT, own: true },
    ],
    [
      { event: 'message.revoked', payload: { revokedMessageId: 'X', chatId: CHAT, after: null, before: null } },
      { chatId: CHAT },
    ],
    [
      { event: 'message.media', payload: { ...common, id: `true_${CHAT}_AAAAAA1`, timestamp: 1, media, _data: {} } },
      { chatId: CHAT, own: true },
    ],
    [
      { event: 'poll.vote', payload: { vote: { ...vote, selectedOptions: [], timestamp: 1 }, poll: vote } },
      { chatId: CHAT, own: false },
    ],
    [
      {
        event: 'event.response',
        payload: {
          ...common,
          id: `true_${CHAT}_AAAAAA1`,
          timestamp: 1,
          source: 'app',
          eventCreationKey: vote,
          eventResponse: null,
          _data: {},
        },
      },
      { chatId: CHAT, own: true },
    ],
    [{ event: 'chat.archive', payload: { id: CHAT, archived: true, timestamp: 1, _data: {} } }, { chatId: CHAT }],
    [{ event: 'label.chat.added', payload: { labelId: '1', chatId: CHAT, label: null, _data: {} } }, { chatId: CHAT }],
    [{ event: 'presence.update', payload: { id: CHAT, presences: [] } }, { chatId: CHAT }],
    [{ event: 'group.v2.leave', payload: { timestamp: 1, _data: {}, group: { id: GROUP } } }, { chatId: GROUP }],
    [
      {
        event: 'call.received',
        payload: { id: 'C', from: CHAT, timestamp: 1, isVideo: false, isGroup: false, _data: {} },
      },
      { chatId: CHAT },
    ],
    [{ event: 'session.status', payload: { name: 'alpha', status: 'WORKING', statuses: [], data: null } }, {}],
  ])('%o', (body, expected) => {
    expect(facts(body)).toEqual(expected);
  });
});
