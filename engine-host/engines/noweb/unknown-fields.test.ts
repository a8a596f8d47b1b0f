import { proto } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { readMessage } from './msgconv/read-message.ts';
import { rebuildMessage } from './rebuild-message.ts';
import { hasUnknownField } from './unknown-fields.ts';

const bytesOf = (message: proto.IMessage) => proto.Message.encode(message).finish();
/** Fields of number 1,000, which `Message` has not: three bytes, a number of two bytes, 4 and 8 bytes. */
const UNKNOWN = [
  [0xc2, 0x3e, 0x03, 0x0a, 0x01, 0x61],
  [0xc0, 0x3e, 0x96, 0x01],
  [0xc5, 0x3e, 0, 0, 0, 1],
  [0xc1, 0x3e, 0, 0, 0, 0, 0, 0, 0, 1],
].map((field) => Uint8Array.from(field));

describe('fields that the protocol has no name for', () => {
  const context = bytesOf({ messageContextInfo: { messageSecret: new Uint8Array(32).fill(0xff) } });

  test.each(UNKNOWN)('are found wherever they stand', (field) => {
    expect(hasUnknownField(field)).toBe(true);
    expect(hasUnknownField(Buffer.concat([context, field]))).toBe(true);
    expect(hasUnknownField(Buffer.concat([field, context]))).toBe(true);
  });

  test('are not seen where there are none, nor inside of known ones', () => {
    expect(hasUnknownField(context)).toBe(false);
    expect(hasUnknownField(new Uint8Array())).toBe(false);
    expect(hasUnknownField(bytesOf({ conversation: 'ä'.repeat(200) }))).toBe(false);
    const field = UNKNOWN[0] ?? new Uint8Array();
    // Field 35, the context, with the unknown field inside.
    expect(hasUnknownField(Buffer.concat([Uint8Array.of(0x9a, 0x02, field.length), field]))).toBe(false);
  });
});

describe('a message of nothing but these', () => {
  const attrs = { id: 'AAAAAAAA', from: '4915100000001@s.whatsapp.net', t: '1700000000' };
  const me = { id: '4915199999999:1@s.whatsapp.net', lid: '99999999999:1@lid' };
  const meaningOf = (...plains: readonly Uint8Array[]) => {
    const parts = plains.map((plain) => ({ hash: new Uint8Array(), plain }));
    const { message } = rebuildMessage({ kind: 'message', attrs, parts, of: parts.length, internal: false }, me);
    return message && readMessage(message);
  };
  const keys = bytesOf({ senderKeyDistributionMessage: { groupId: 'g' } });
  const [unknown = new Uint8Array()] = UNKNOWN;

  test('was sent by somebody all the same', () => {
    const told = { kind: 'message', content: { type: 'unknown', body: '' } };
    expect(meaningOf(unknown)).toMatchObject(told);
    expect(meaningOf(keys, unknown)).toMatchObject(told);
  });

  test('is none where there is a known one, and keys alone are none', () => {
    const text = Buffer.concat([unknown, bytesOf({ conversation: 'hi' })]);
    expect(meaningOf(text)).toMatchObject({ kind: 'message', content: { type: 'text', body: 'hi' } });
    const setting = bytesOf({ protocolMessage: { type: 3 } });
    expect(meaningOf(Buffer.concat([unknown, setting]))).toEqual({ kind: 'nothing' });
    expect(meaningOf(keys)).toEqual({ kind: 'nothing' });
  });
});
