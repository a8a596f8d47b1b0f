import { randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { MemorySessionState } from '../memory-session-state.ts';
import { MessageSecrets, secretInContent } from './message-secrets.ts';
import { readContent } from './rebuild-message.ts';

const secret = randomBytes(32);
const poll = (name: string, ...options: string[]): proto.IMessage => ({
  pollCreationMessageV3: { name, options: options.map((optionName) => ({ optionName })) },
  messageContextInfo: { messageSecret: secret },
});

describe('secrets of messages', () => {
  test('of a calendar event are kept as a poll’s are', () => {
    const event = { eventMessage: { name: 'Party' }, messageContextInfo: { messageSecret: secret } };
    const state = new MemorySessionState();
    state.append(new MessageSecrets(state).keep('ONE', event, ['1@lid']));
    expect(new MessageSecrets(state).find('ONE')).toMatchObject({ secret, options: [], authors: ['1@lid'] });
    expect(secretInContent(proto.Message.encode(event).finish())).toMatchObject({ secret });
  });

  test('outlive the host; whoever uses the id of one again does not replace it', () => {
    const state = new MemorySessionState();
    state.append(new MessageSecrets(state).keep('ONE', poll('When?', 'now', 'later'), ['1@lid']));
    const again = new MessageSecrets(state);
    expect(again.keep('ONE', poll('Where?', 'here'), ['2@lid'])).toEqual([]);
    expect(again.find('ONE')).toMatchObject({ secret, options: ['now', 'later'], authors: ['1@lid'] });
    expect(again.find('TWO')).toBeUndefined();
  });

  test('the newest 128 are kept, also over a restart', () => {
    const state = new MemorySessionState();
    const polls = new MessageSecrets(state);
    for (let n = 1; n <= 100; n += 1) state.append(polls.keep(`P${n}`, poll(`${n}`, 'yes'), []));
    const again = new MessageSecrets(state);
    for (let n = 101; n <= 130; n += 1) state.append(again.keep(`P${n}`, poll(`${n}`, 'yes'), []));
    expect(state.keys('poll/')).toHaveLength(128);
    expect(['P2', 'P3', 'P130'].map((id) => again.find(id) !== undefined)).toEqual([false, true, true]);
  });

  test('other messages, polls without a secret and monstrous ones are not kept', () => {
    const polls = new MessageSecrets(new MemorySessionState());
    const open = { pollCreationMessageV3: { name: 'When?', options: [] } };
    for (const message of [{ conversation: 'hi' }, open, poll('Huge', 'x'.repeat(5_000))]) {
      expect(polls.keep('ONE', message, [])).toEqual([]);
    }
  });

  test('are found in content that was kept elsewhere, in wrappers, and in the copy of an own device', () => {
    const { messageContextInfo = null, ...message } = poll('When?', 'now');
    const bytes = (content: proto.IMessage) => proto.Message.encode(content).finish();
    const found = { secret, options: ['now'] };
    expect(secretInContent(bytes(poll('When?', 'now')))).toMatchObject(found);
    expect(secretInContent(bytes({ ephemeralMessage: { message }, messageContextInfo }))).toMatchObject(found);
    const copy = readContent(bytes({ deviceSentMessage: { message }, messageContextInfo }));
    expect(new MessageSecrets(new MemorySessionState()).keep('ONE', copy, [])).toHaveLength(1);
  });
});
