import { proto } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import type { ChatId } from '#shared/domain/chat-id.ts';
import { chatOf } from './noweb-world.ts';
import { Resends } from './resends.ts';

const PN = '4915100000001@s.whatsapp.net';
const LID = '77777777777@lid';
const GROUP = '120363000000000001@g.us';
const STATUS = 'status@broadcast';
const ELSEWHERE = '4915100000002@s.whatsapp.net';
const content = proto.Message.encode({ conversation: 'hi' }).finish();

/** @param kept where the read model has that a message went */
function resends(kept?: ChatId) {
  return new Resends({
    context: { sentContent: async (_, chatIds) => (kept && chatIds.includes(kept) ? content : undefined) },
    lookUpOther: async (jid) => ({ [PN]: LID, [LID]: PN })[jid],
  });
}

describe('a message that is asked for again', () => {
  test.each([
    [PN, PN],
    [PN, LID],
    [LID, PN],
    [LID, LID],
    [PN, '4915100000001:2@s.whatsapp.net'],
    [PN, '77777777777:2@lid'],
    [PN, '4915100000001:99@hosted'],
    [LID, '4915100000001:99@hosted'],
    [LID, '77777777777:99@hosted.lid'],
    [GROUP, GROUP],
    [STATUS, STATUS],
  ])('went to %s, and goes to %s', async (sentTo, remoteJid) => {
    const [fresh, old] = [resends(), resends(chatOf(sentTo))];
    fresh.leaving(sentTo, 'X', content);
    for (const each of [fresh, old]) {
      expect(await each.find({ id: 'X', remoteJid })).toMatchObject({ conversation: 'hi' });
    }
  });

  test.each([
    [PN, ELSEWHERE],
    [PN, GROUP],
    [GROUP, PN],
    [GROUP, STATUS],
    [PN, undefined],
  ])('went to %s, and does not go to %s', async (sentTo, remoteJid) => {
    const [fresh, old] = [resends(), resends(chatOf(sentTo))];
    fresh.leaving(sentTo, 'X', content);
    for (const each of [fresh, old]) expect(await each.find({ id: 'X', remoteJid: remoteJid ?? null })).toBeUndefined();
  });

  test('is one of the newest 512, before the read model has any', async () => {
    const latest = resends();
    for (let n = 0; n <= 512; n += 1) latest.leaving(PN, `ID${n}`, content);
    expect(await latest.find({ id: 'ID0', remoteJid: PN })).toBeUndefined();
    expect(await latest.find({ id: 'ID1', remoteJid: PN })).toBeDefined();
  });
});
