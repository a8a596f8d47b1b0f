import { proto } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { RatchetWatch } from './ratchet-watch.ts';
import { type BinaryNode, node } from './wire/binary-node.ts';

const KEY = Buffer.alloc(33, 5);
const OTHER_KEY = Buffer.alloc(33, 6);
const DEVICE = '4915100000001:1';

const framed = (message: Uint8Array, after: number) => Buffer.concat([Buffer.of(0x33), message, Buffer.alloc(after)]);
const direct = (ratchetKey: Buffer, counter: number, text: string) =>
  framed(proto.SignalMessage.encode({ ratchetKey, counter, ciphertext: Buffer.from(text) }).finish(), 8);
const opening = (message: Buffer) => framed(proto.PreKeySignalMessage.encode({ baseKey: KEY, message }).finish(), 0);
const group = (id: number, iteration: number, text: string) =>
  framed(proto.SenderKeyMessage.encode({ id, iteration, ciphertext: Buffer.from(text) }).finish(), 64);

const enc = (type: string, body: Buffer) => node('enc', { v: '2', type }, body);
const message = (...parts: readonly BinaryNode[]) => node('message', { id: 'A' }, parts);
const toOne = (type: string, body: Buffer) => message(node('participants', {}, [node('to', {}, [enc(type, body)])]));

/** What the watch says of the last of these messages of one device. */
function last(...messages: readonly BinaryNode[]): number {
  const watch = new RatchetWatch();
  return messages.map((each) => watch.reuses(DEVICE, each)).at(-1) ?? 0;
}

test('one key for two different things is seen, whatever kind of ciphertext they are in', () => {
  expect(last(toOne('msg', direct(KEY, 3, 'a')), toOne('msg', direct(KEY, 3, 'b')))).toBe(1);
  expect(last(toOne('pkmsg', opening(direct(KEY, 0, 'a'))), toOne('msg', direct(KEY, 0, 'b')))).toBe(1);
  expect(last(message(enc('skmsg', group(7, 2, 'a'))), message(enc('skmsg', group(7, 2, 'b'))))).toBe(1);
});

test('another place, another chain, another device or the same bytes again are none', () => {
  expect(last(toOne('msg', direct(KEY, 3, 'a')), toOne('msg', direct(KEY, 4, 'b')))).toBe(0);
  expect(last(toOne('msg', direct(KEY, 3, 'a')), toOne('msg', direct(OTHER_KEY, 3, 'b')))).toBe(0);
  expect(last(toOne('msg', direct(KEY, 3, 'a')), toOne('msg', direct(KEY, 3, 'a')))).toBe(0);
  expect(last(message(enc('skmsg', group(7, 2, 'a'))), message(enc('skmsg', group(8, 2, 'b'))))).toBe(0);
  const watch = new RatchetWatch();
  watch.reuses(DEVICE, toOne('msg', direct(KEY, 3, 'a')));
  expect(watch.reuses('4915100000002:1', toOne('msg', direct(KEY, 3, 'b')))).toBe(0);
});
