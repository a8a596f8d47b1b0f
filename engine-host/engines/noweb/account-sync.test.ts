import { describe, expect, test } from 'vitest';
import { MemorySessionState } from '../memory-session-state.ts';
import { AccountSync, toAccountEvent } from './account-sync.ts';

const CHAT = '4915100000001@s.whatsapp.net';

describe('what the owner changes on the phone', () => {
  test('a chat that is archived, and one that is brought back', () => {
    const account = new AccountSync(new MemorySessionState());
    for (const archived of [true, false]) {
      expect(account.archive({ id: CHAT, archived, conditional: undefined })?.change).toMatchObject({ archived });
    }
  });

  test.each([
    ['what was archived before the device was linked', { id: CHAT, archived: true, conditional: () => true }],
    ['a chat that a message brings back', { id: CHAT, archived: false, readOnly: false }],
    ['another change of a chat', { id: CHAT, muteEndTime: null, conditional: undefined }],
  ])('not %s', (_, update) => {
    expect(new AccountSync(new MemorySessionState()).archive(update)).toBeUndefined();
  });

  test('a hundred labels are known by name, over a restart; a chat may have one of which only the id is known', () => {
    const state = new MemorySessionState();
    for (let n = 1; n <= 101; n += 1) {
      const label = { id: `${n}`, name: `Label ${n}`, color: n, deleted: false };
      state.append(new AccountSync(state).label(label).alongside);
    }
    const nameOf = (labelId: string) => {
      const association = { chatId: CHAT, labelId };
      const change = new AccountSync(state).association({ type: 'add', association })?.change;
      return change?.type === 'label-chat' ? change.label : undefined;
    };
    expect(nameOf('100')).toEqual({ id: '100', name: 'Label 100', color: 100, colorHex: '#ff9485' });
    expect(nameOf('101')).toBeNull();
  });

  test('has phone number and LID where both are known', async () => {
    const change = { type: 'archive', chat: '1111111@lid', archived: true } as const;
    const event = await toAccountEvent({ kind: 'account', at: 5_000, change }, async () => CHAT);
    expect(event?.body.payload).toEqual({
      id: '4915100000001@c.us',
      archived: true,
      timestamp: 5,
      _data: { lid: '1111111@lid' },
    });
  });
});
