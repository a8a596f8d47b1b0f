import { describe, expect, test } from 'vitest';
import { pack, unpack } from './packed-json.ts';

const key = Buffer.alloc(32, 7).toString('base64');

describe('packed JSON', () => {
  test.each([
    ['simple values', [null, true, false, 0, 1, -1, 127, 128, 300, 2 ** 40, -(2 ** 40), 0.5, -0, 1e300]],
    [
      'texts',
      ['', 'a', 'baseKey', 'ünïcode 🎉', key, `${key}x`, 'AAAAAAAAAAAAAAAA', 'notbase64====', 'AB==AB==AB==AB=='],
    ],
    ['base64 whose spare bits are set', ['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=']],
    [
      'objects',
      { _sessions: { [key]: { registrationId: 5, nested: { __proto__: null, list: [[], {}] } } }, version: 'v1' },
    ],
    ['bytes', { type: 'x', data: Buffer.from([1, 2, 3]), empty: Buffer.alloc(0) }],
  ])('%s come back as they were', (_, value) => {
    expect(unpack(pack(value))).toEqual(value);
  });

  test('a key called __proto__ stays a key', () => {
    const value: unknown = JSON.parse('{"__proto__":{"a":1}}');
    const packed = pack({ value: JSON.parse('{"__proto__":{"a":1}}') });
    expect(unpack(packed)).toEqual({ value });
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });

  test('keys take as many bytes as they have', () => {
    expect(pack({ rootKey: key }).length).toBe(2 + 2 + 2 + 32);
  });

  test('damaged bytes are refused', () => {
    const packed = pack({ rootKey: key });
    expect(() => unpack(packed.subarray(0, -1))).toThrow(RangeError);
    expect(() => unpack(Buffer.concat([packed, Buffer.from([0])]))).toThrow(RangeError);
    expect(() => unpack(Uint8Array.of(99))).toThrow(RangeError);
  });
});
