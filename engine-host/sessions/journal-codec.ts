import { CorruptStateError } from './corrupt-state-error.ts';

/** Changes of a state in the order in which they apply; null deletes. A whole state is changes to an empty one. */
export type Changes = Iterable<readonly [key: string, value: Uint8Array | null]>;

/*
 * Form, to the end of the bytes: length of the key, key in UTF-8, length of the value plus 1 (0: deleted), value.
 * Lengths are unsigned LEB128.
 */
const MORE = 0x80;
const MOST_LENGTH_BYTES = 5;

/** Takes the values as they are at the call. */
export function encodeChanges(changes: Changes): Uint8Array {
  const parts = Array.from(changes, ([key, value]) => ({ key: Buffer.from(key), value }));
  let size = 0;
  for (const { key, value } of parts) {
    size += lengthBytes(key.length) + key.length + lengthBytes(value === null ? 0 : value.length + 1);
    size += value?.length ?? 0;
  }
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  const writeLength = (length: number) => {
    let left = length;
    for (; left >= MORE; left = Math.floor(left / MORE)) at = bytes.writeUInt8((left % MORE) + MORE, at);
    at = bytes.writeUInt8(left, at);
  };
  for (const { key, value } of parts) {
    writeLength(key.length);
    bytes.set(key, at);
    at += key.length;
    writeLength(value === null ? 0 : value.length + 1);
    if (value === null) continue;
    bytes.set(value, at);
    at += value.length;
  }
  return bytes;
}

/** @throws CorruptStateError */
export function decodeChanges(bytes: Uint8Array): [key: string, value: Uint8Array | null][] {
  const changes: [string, Uint8Array | null][] = [];
  let at = 0;
  const readLength = () => {
    let length = 0;
    for (let index = 0; index < MOST_LENGTH_BYTES; index += 1) {
      const byte = bytes[at];
      if (byte === undefined) break;
      at += 1;
      length += (byte % MORE) * MORE ** index;
      if (byte < MORE) return length;
    }
    throw new CorruptStateError('A length in stored changes is not readable');
  };
  const read = (length: number) => {
    if (at + length > bytes.length) throw new CorruptStateError('Stored changes are cut short');
    at += length;
    // A copy of its own: a part of the whole would keep the whole in memory.
    return Uint8Array.from(bytes.subarray(at - length, at));
  };
  while (at < bytes.length) {
    const key = Buffer.from(read(readLength())).toString();
    const length = readLength();
    changes.push([key, length === 0 ? null : read(length - 1)]);
  }
  return changes;
}

function lengthBytes(length: number): number {
  let count = 1;
  for (let left = length; left >= MORE; left = Math.floor(left / MORE)) count += 1;
  return count;
}
