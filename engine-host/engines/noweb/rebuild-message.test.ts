import { proto } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { rebuildMessage } from './rebuild-message.ts';

const me = { id: '4915199999999:1@s.whatsapp.net', lid: '99999999999:1@lid' };

function keyOf(attrs: Readonly<Record<string, string>>) {
  const plain = proto.Message.encode({ protocolMessage: { type: 0, key: { id: 'STATUS' } } }).finish();
  const parts = [{ hash: new Uint8Array(), plain }];
  const all = { id: 'AAAAAAAA', t: '1700000000', ...attrs };
  return rebuildMessage({ kind: 'message', attrs: all, parts, of: 1, internal: false }, me).key;
}

describe('what is written to a list', () => {
  const lists = ['status@broadcast', '1700000000@broadcast'];

  test.each(lists)('is the account’s own under either address: %s', (from) => {
    expect(keyOf({ from, participant: '4915199999999@s.whatsapp.net' })).toMatchObject({ fromMe: true });
    expect(keyOf({ from, participant: '99999999999:2@lid' })).toMatchObject({ remoteJid: from, fromMe: true });
  });

  test.each(lists)('is another’s otherwise: %s', (from) => {
    expect(keyOf({ from, participant: '4915100000001@s.whatsapp.net' })).toMatchObject({ fromMe: false });
    expect(keyOf({ from, participant: '77777777771@lid' })).toMatchObject({ fromMe: false });
  });
});
