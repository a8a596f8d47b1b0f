import { describe, expect, test } from 'vitest';
import { jidToChatId, resolveAddress, resolveMessage } from './ids.ts';
import { chatOf } from './noweb-world.ts';

const PHONE = '4915100000001@s.whatsapp.net';
const LID = '123456789012345@lid';
const GROUP = '120363000000000001@g.us';
const nobody = async () => null;
const known = async (jid: string) => (jid === LID ? PHONE : jid === PHONE ? LID : null);

test.each([
  ['4915100000001:12@s.whatsapp.net', '4915100000001@c.us'],
  ['123456789012345:3@lid', LID],
  [GROUP, GROUP],
  ['status@broadcast', 'status@broadcast'],
  ['', undefined],
  ['nonsense', undefined],
])('%s is %s to clients', (jid, chat) => {
  expect(jidToChatId(jid)).toBe(chat);
});

describe('resolveAddress', () => {
  test('prefers the phone number the stanza names', async () => {
    expect(await resolveAddress(LID, PHONE, nobody)).toEqual({ id: '4915100000001@c.us', lid: LID });
    expect(await resolveAddress(PHONE, LID, nobody)).toEqual({ id: '4915100000001@c.us', lid: LID });
  });

  test('looks a bare LID up, and keeps it when nobody knows the number', async () => {
    expect(await resolveAddress(LID, undefined, known)).toEqual({ id: '4915100000001@c.us', lid: LID });
    expect(await resolveAddress(LID, undefined, nobody)).toEqual({ id: LID, lid: LID });
  });

  test('looks the LID of a bare phone number up, and of nothing else', async () => {
    expect(await resolveAddress(PHONE, undefined, known)).toEqual({ id: '4915100000001@c.us', lid: LID });
    expect(await resolveAddress(PHONE, undefined, nobody)).toEqual({ id: '4915100000001@c.us', lid: undefined });
    expect(await resolveAddress(GROUP, undefined, async () => LID)).toEqual({ id: GROUP, lid: undefined });
  });
});

describe('resolveMessage', () => {
  const me = chatOf('4915199999999');

  test('names the sender in groups, by phone number', async () => {
    const key = { remoteJid: GROUP, fromMe: false, id: 'ABCDEF', participant: LID, participantAlt: PHONE };
    const message = await resolveMessage(key, me, nobody);
    expect(message?.key).toEqual({ chatId: GROUP, fromMe: false, id: 'ABCDEF', participant: '4915100000001@c.us' });
    expect(message?.participant?.lid).toBe(LID);
  });

  test('names this account for its own messages in groups', async () => {
    const message = await resolveMessage({ remoteJid: GROUP, fromMe: true, id: 'ABCDEF' }, me, nobody);
    expect(message?.key.participant).toBe(me);
  });

  test('names the author of a status, whose other address Baileys gives for the list', async () => {
    const key = { remoteJid: 'status@broadcast', remoteJidAlt: PHONE, participant: LID, fromMe: false, id: 'ABCDEF' };
    const message = await resolveMessage(key, me, nobody);
    expect(message?.participant).toEqual({ id: '4915100000001@c.us', lid: LID });
    expect(message?.chat).toEqual({ id: 'status@broadcast', lid: undefined });
    expect(message?.eventKey).toBe('false_status@broadcast_ABCDEF_4915100000001@c.us');
  });

  test('keys events by what the stanza names, never by what was looked up', async () => {
    const key = { remoteJid: LID, fromMe: false, id: 'ABCDEF' };
    const message = await resolveMessage(key, me, known);
    expect(message?.key.chatId).toBe('4915100000001@c.us');
    expect(message?.eventKey).toBe(`false_${LID}_ABCDEF`);
    const named = await resolveMessage({ ...key, remoteJidAlt: PHONE }, me, nobody);
    expect(named?.eventKey).toBe('false_4915100000001@c.us_ABCDEF');
  });

  test('names nobody in direct chats', async () => {
    const key = { remoteJid: PHONE, fromMe: false, id: 'ABCDEF', participant: '' };
    expect((await resolveMessage(key, me, nobody))?.key).toEqual({
      chatId: '4915100000001@c.us',
      fromMe: false,
      id: 'ABCDEF',
    });
  });
});
