import { describe, expect, it } from 'vitest';
import { formatJid, jid, parseJid, SERVER_JID } from './jid.ts';
import { WireError } from './wire-error.ts';

describe('JIDs', () => {
  it.each([
    ['49151@s.whatsapp.net', jid('49151', 's.whatsapp.net')],
    ['49151:3@s.whatsapp.net', jid('49151', 's.whatsapp.net', 3)],
    ['123@lid', jid('123', 'lid')],
    ['120363@g.us', jid('120363', 'g.us')],
    ['@s.whatsapp.net', SERVER_JID],
  ])('reads and writes %s', (text, address) => {
    expect(parseJid(text)).toStrictEqual(address);
    expect(formatJid(address)).toBe(text);
  });

  it('knows no device 0', () => {
    expect(parseJid('49151:0@s.whatsapp.net')).toStrictEqual(jid('49151', 's.whatsapp.net'));
    expect(jid('49151', 'lid', 0)).not.toHaveProperty('device');
  });

  it.each(['49151', '', '49151@', 'a@b@c', '1:x@lid', '1:@lid', '1:2:3@lid'])('refuses %j', (text) => {
    expect(() => parseJid(text)).toThrow(WireError);
  });
});
