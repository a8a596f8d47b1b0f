import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatIdToJid, isChatId, parseChatId, takesMessages } from './chat-id.ts';
import { eventId, eventTime } from './event-id.ts';
import { bareMessageId, formatMessageId, messageIdForJob, parseMessageId, writtenMessageId } from './message-id.ts';
import { isSessionName } from './session-name.ts';

const digits = (min: number, max: number) => fc.stringMatching(new RegExp(`^[1-9][0-9]{${min - 1},${max - 1}}$`));
const chatId = fc.oneof(
  digits(5, 15).map((user) => `${user}@c.us`),
  digits(5, 20).map((user) => `${user}@lid`),
  digits(8, 20).map((user) => `${user}@g.us`),
);

describe('chat ids', () => {
  it.each([
    ['4915112345678', '4915112345678@c.us'],
    ['+49 (151) 123-45678', '4915112345678@c.us'],
    ['4915112345678@s.whatsapp.net', '4915112345678@c.us'],
    ['4915112345678:12@s.whatsapp.net', '4915112345678@c.us'],
    ['123456789@lid', '123456789@lid'],
    ['120363001234567890@g.us', '120363001234567890@g.us'],
    ['4915112345678-1612345678@g.us', '4915112345678-1612345678@g.us'],
    ['status@broadcast', 'status@broadcast'],
    ['0@s.whatsapp.net', '0@c.us'],
  ])('reads %s', (text, expected) => {
    expect(parseChatId(text)).toBe(expected);
  });

  it.each(['', '0', '@c.us', 'abc', 'abc@c.us', '12@c.us', '123456@example.com', '1 2', '../../etc', 'all'])(
    'refuses %j',
    (text) => {
      expect(parseChatId(text)).toBeUndefined();
    },
  );

  it('tells the chat of WhatsApp itself from all that take messages', () => {
    const chats = ['0@c.us', '4915112345678@c.us', '10000@c.us', '120363001234567890@g.us'];
    const taking = chats.filter((text) => isChatId(text) && takesMessages(text));
    expect(taking).toEqual(chats.slice(1));
  });

  it('keeps canonical ids and turns only phone numbers into other JIDs', () => {
    fc.assert(
      fc.property(chatId, (text) => {
        const parsed = parseChatId(text);
        expect(parsed).toBe(text);
        if (parsed !== undefined) expect(chatIdToJid(parsed)).toBe(text.replace('@c.us', '@s.whatsapp.net'));
      }),
    );
  });
});

describe('message ids', () => {
  it('are derived from session and job, stable, and different for different jobs', () => {
    expect(messageIdForJob('default', 'job_1')).toBe('3EB04D83ED89B69225507C');
    expect(messageIdForJob('default', 'job_1')).not.toBe(messageIdForJob('default', 'job_2'));
    expect(messageIdForJob('a', 'bc')).not.toBe(messageIdForJob('ab', 'c'));
  });

  const ordinary = fc.stringMatching(/^[0-9A-F]{8,24}$/);
  const chosen = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
  const hostile = fc.constantFrom(
    'MY_OWN_ID',
    'A',
    '_',
    '%41',
    '50%',
    'true_123456@c.us_ABCDEF',
    'X_123456@c.us',
    'a#b',
  );

  it('survive a round trip in the long form, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        chatId,
        fc.oneof(ordinary, chosen, hostile),
        fc.option(chatId),
        (fromMe, chat, id, sender) => {
          if (!isChatId(chat) || (sender !== null && !isChatId(sender))) throw new Error('generator');
          const key = { fromMe, chatId: chat, id, ...(sender === null ? {} : { participant: sender }) };
          expect(parseMessageId(formatMessageId(key))).toEqual(key);
          expect(bareMessageId(formatMessageId(key))).toBe(id);
        },
      ),
    );
  });

  it('stand in the long form as they are when they are ordinary, and never break it', () => {
    const chat = parseChatId('4915112345678@c.us');
    if (chat === undefined) throw new Error('no chat');
    const long = (id: string) => formatMessageId({ fromMe: false, chatId: chat, id });
    expect(long('3EB0C767D71D8EC3A1')).toBe('false_4915112345678@c.us_3EB0C767D71D8EC3A1');
    expect(long('a.B-9')).toBe('false_4915112345678@c.us_a.B-9');
    expect(long('MY_ID/1')).toBe('false_4915112345678@c.us_MY%5FID%2F1');
    expect(long('\ud800')).toBe('false_4915112345678@c.us_%EF%BF%BD');
  });

  it('have room in a key, however long they are, and are not taken for each other', () => {
    const [one, other] = ['漢'.repeat(5000), `${'漢'.repeat(4999)}字`];
    expect(writtenMessageId(one)).toMatch(/^SHA256-[0-9a-f]{64}$/);
    expect(writtenMessageId(one)).not.toBe(writtenMessageId(other));
    expect(writtenMessageId('A'.repeat(256))).toBe('A'.repeat(256));
    expect(writtenMessageId('A'.repeat(257)).length).toBeLessThan(256);
  });

  it.each([
    ['true_123456@c.us_A B', 'A B'],
    ['true_123456@c.us_MY_OWN_ID', 'MY_OWN_ID'],
    ['true_123456@c.us_MY_123456', 'MY_123456'],
    ['true_123456@c.us_50%', '50%'],
  ])('are read also where nobody encoded them: %j', (text, id) => {
    expect(parseMessageId(text)).toEqual({ fromMe: true, chatId: '123456@c.us', id });
  });

  it.each(['', 'true_x', 'maybe_123456@c.us_ABCDEF', 'true_123456@c.us_', 'true_123456@c.us__123456@c.us'])(
    'refuses %j as long form',
    (text) => {
      expect(parseMessageId(text)).toBeUndefined();
    },
  );

  it('are named by clients in the long form, or bare when they are ordinary', () => {
    expect(bareMessageId('3EB0C767D71D8EC3A1')).toBe('3EB0C767D71D8EC3A1');
    for (const text of ['MY_OWN_ID', 'A B C D', 'ABC', 'A'.repeat(129)]) expect(bareMessageId(text)).toBeUndefined();
  });
});

describe('event ids', () => {
  it('look like ULIDs of the event’s time and depend on everything that makes it what it is', () => {
    const session = { name: 'default', incarnation: 'one' };
    const id = eventId(session, 'message', 1_763_396_580_579, 'false_1@c.us_A');
    expect(id).toMatch(/^evt_[0-9a-hjkmnp-tv-z]{26}$/);
    expect(id.slice(4, 14)).toBe('01ka9a0x73');
    expect(eventId({ ...session }, 'message', 1_763_396_580_579, 'false_1@c.us_A')).toBe(id);
    for (const other of [
      eventId({ ...session, name: 'other' }, 'message', 1_763_396_580_579, 'false_1@c.us_A'),
      eventId({ ...session, incarnation: 'two' }, 'message', 1_763_396_580_579, 'false_1@c.us_A'),
      eventId(session, 'message.any', 1_763_396_580_579, 'false_1@c.us_A'),
      eventId(session, 'message', 1_763_396_580_579, 'false_1@c.us_B'),
    ]) {
      expect(other).not.toBe(id);
    }
  });

  it('tell when the event happened', () => {
    for (const at of [0, 1_763_396_580_579, 2 ** 48 - 1]) {
      expect(eventTime(eventId({ name: 'default', incarnation: 'one' }, 'message', at, 'A'))).toBe(at);
    }
    for (const text of ['', 'evt_1', 'evt_81ka9a0x73vrx3aqra9rhjmfvy', 'msg_01ka9a0x73vrx3aqra9rhjmfvy']) {
      expect(eventTime(text)).toBeUndefined();
    }
  });
});

describe('session names', () => {
  it.each([
    ['default', true],
    ['a-b_C9', true],
    ['', false],
    ['a b', false],
    ['ä', false],
    ['x'.repeat(55), false],
    ['a/b', false],
  ])('%j: %s', (text, ok) => {
    expect(isSessionName(text)).toBe(ok);
  });
});
