import { proto } from '@whiskeysockets/baileys';

const VARINT = 0;
const FIXED_64 = 1;
const DELIMITED = 2;
const FIXED_32 = 5;

/**
 * Whether a message has a content that this version of the protocol has no name for. Decoding passes over such fields.
 * @param bytes a protobuf `Message` that can be decoded
 */
export function hasUnknownField(bytes: Uint8Array): boolean {
  for (let from = 0; from < bytes.length; ) {
    const to = endOfField(bytes, from);
    if (Object.keys(proto.Message.decode(bytes.subarray(from, to))).length === 0) return true;
    from = to;
  }
  return false;
}

function endOfField(bytes: Uint8Array, from: number): number {
  const tag = varint(bytes, from);
  switch (tag.value % 8) {
    case VARINT:
      return varint(bytes, tag.end).end;
    case FIXED_64:
      return tag.end + 8;
    case DELIMITED: {
      const length = varint(bytes, tag.end);
      return length.end + length.value;
    }
    case FIXED_32:
      return tag.end + 4;
    default:
      // Groups, which nobody has used for decades: what follows counts as a part of it.
      return bytes.length;
  }
}

/** A number in base 128, least significant digits first; all bytes but its last have the highest bit. */
function varint(bytes: Uint8Array, from: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let end = from;
  for (let unit = 1; ; unit *= 128) {
    const byte = bytes[end] ?? 0;
    end += 1;
    value += (byte % 128) * unit;
    if (byte < 128) return { value, end };
  }
}
