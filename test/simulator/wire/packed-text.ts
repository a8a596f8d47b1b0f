import { WireError } from './wire-error.ts';

/** Longest text that clients pack two characters to a byte. */
const PACKED_MAX_CHARACTERS = 127;

export const NIBBLE_ALPHABET = '0123456789-.';
export const HEX_ALPHABET = '0123456789ABCDEF';

const PADDING = 15;
const ODD = 0x80;

/** Whether every character of a text can be packed with this alphabet. */
export function isPackable(text: string, alphabet: string): boolean {
  if (text === '' || text.length > PACKED_MAX_CHARACTERS) return false;
  for (const character of text) if (!alphabet.includes(character)) return false;
  return true;
}

/** Length byte (highest bit: odd number of characters) and the packed characters. */
export function pack(text: string, alphabet: string): Buffer {
  const packed = Buffer.alloc(1 + Math.ceil(text.length / 2));
  packed[0] = (packed.length - 1) | (text.length % 2 === 1 ? ODD : 0);
  for (let at = 0; at < text.length; at += 2) {
    const low = at + 1 < text.length ? alphabet.indexOf(text.charAt(at + 1)) : PADDING;
    packed[1 + at / 2] = (alphabet.indexOf(text.charAt(at)) << 4) | low;
  }
  return packed;
}

/** Number of packed bytes that follow a length byte. */
export function packedSize(lengthByte: number): number {
  return lengthByte & ~ODD;
}

/** @throws WireError for a character outside of the alphabet or padding in the wrong place. */
export function unpack(lengthByte: number, packed: Buffer, alphabet: string): string {
  const digits: number[] = [];
  for (const byte of packed) digits.push(byte >> 4, byte & 0x0f);
  if ((lengthByte & ODD) !== 0 && digits.pop() !== PADDING)
    throw new WireError('packed text has no padding at its end');
  let text = '';
  for (const digit of digits) {
    const character = alphabet[digit];
    if (character === undefined) throw new WireError(`packed text has the unknown digit ${digit}`);
    text += character;
  }
  return text;
}
