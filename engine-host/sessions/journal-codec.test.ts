import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CorruptStateError } from './corrupt-state-error.ts';
import { decodeChanges, encodeChanges } from './journal-codec.ts';

const changes = fc.array(
  fc.tuple(fc.string({ unit: 'grapheme' }), fc.option(fc.uint8Array({ maxLength: 300 }), { nil: null })),
  { maxLength: 30 },
);

describe('journal codec', () => {
  it('gives back what it was given, in order', () => {
    fc.assert(
      fc.property(changes, (list) => {
        expect(decodeChanges(encodeChanges(list))).toEqual(list);
      }),
    );
  });

  it.each([0, 126, 127, 128, 16_383, 16_384, 2_097_152])('knows the length %i', (length) => {
    const value = new Uint8Array(length).fill(9);
    const [change] = decodeChanges(encodeChanges([['k', value]]));
    expect(Buffer.compare(change?.[1] ?? new Uint8Array(1), value)).toBe(0);
  });

  it('tells an empty value from a deletion', () => {
    const list = [
      ['a', new Uint8Array(0)],
      ['b', null],
    ] as const;
    expect(decodeChanges(encodeChanges(list))).toEqual(list);
  });

  it('gives values that keep nothing else in memory', () => {
    const [change] = decodeChanges(encodeChanges([['a', Uint8Array.of(1)]]));
    expect(change?.[1]?.buffer.byteLength).toBe(1);
  });

  it('spends two bytes on a short key and value', () => {
    expect(encodeChanges([['key', Uint8Array.of(1)]])).toHaveLength(3 + 1 + 2);
  });

  it('refuses what is cut short, and lengths without an end', () => {
    const encoded = encodeChanges([['creds', new Uint8Array(200)]]);
    for (let length = 1; length < encoded.length; length += 1)
      expect(() => decodeChanges(encoded.subarray(0, length))).toThrow(CorruptStateError);
    expect(() => decodeChanges(new Uint8Array(8).fill(0xff))).toThrow(CorruptStateError);
  });
});
