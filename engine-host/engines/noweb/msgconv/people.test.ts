import { expect, test } from 'vitest';
import { readMentions } from './mentions.ts';
import { readQuoted } from './quoted.ts';

const [LID, PHONE] = ['77777777777@lid', '4915100000001@s.whatsapp.net'];
const UNKNOWN = '88888888888@lid';
const known = async (jid: string) => (jid === LID ? PHONE : jid === PHONE ? LID : null);
const media = { url: 'https://mmg.whatsapp.net/v/1', fileLength: 12 };

test('mentions are phone numbers where they are known, and their LIDs are kept', async () => {
  expect(await readMentions({ mentionedJid: [LID, PHONE, UNKNOWN, 'nonsense'] }, known)).toEqual({
    mentions: ['4915100000001@c.us', '4915100000001@c.us', UNKNOWN],
    mentionedLids: [LID, LID, UNKNOWN],
    mentionsAll: false,
  });
});

test('everybody may be mentioned without a name', async () => {
  const everybody = { mentions: [], mentionedLids: [], mentionsAll: true };
  expect(await readMentions({ nonJidMentions: 1 }, known)).toEqual(everybody);
  expect(await readMentions(undefined, known)).toEqual({ ...everybody, mentionsAll: false });
});

test('a reply carries what it quotes, media named but not downloaded', async () => {
  const quotedMessage = { imageMessage: { ...media, caption: 'the field', mimetype: 'image/png' } };
  expect(await readQuoted({ stanzaId: 'QUOTED', participant: '77777777777:3@lid', quotedMessage }, known)).toEqual({
    id: 'QUOTED',
    participant: '4915100000001@c.us',
    body: 'the field',
    hasMedia: true,
    media: { url: null, mimetype: 'image/png', filename: null, error: null },
    _data: { lid: LID },
  });
  expect(await readQuoted({ stanzaId: 'QUOTED', participant: UNKNOWN }, known)).toMatchObject({ participant: UNKNOWN });
  expect(await readQuoted(undefined, known)).toBeNull();
});
