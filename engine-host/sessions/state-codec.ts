import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { TrunklineError } from '#shared/domain/errors.ts';

/**
 * Form of a checkpoint: `TKCP`, version (1 byte), SHA-256 of the rest (32 bytes), then zstd over
 * `count, {key length, key, value length, value}…`; numbers are unsigned 32 bit, little endian, keys UTF-8.
 */
const MAGIC = Buffer.from('TKCP');
const VERSION = 1;
const HEADER = MAGIC.length + 1 + 32;
/** Far above any session's state; stops a damaged object from filling the memory. */
const MAX_BYTES = 512 * 1024 * 1024;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** A checkpoint that is not what was stored. Starting without it would lose the login, so nothing goes on by itself. */
export class CorruptStateError extends TrunklineError {
  readonly code = 'dependency';
}

/** Takes the values as they are at the call; changes made afterwards do not get in. */
export async function encodeState(state: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  const packed = await compress(pack(state), { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  const digest = createHash('sha256').update(packed).digest();
  return Buffer.concat([MAGIC, Buffer.from([VERSION]), digest, packed]);
}

/** @throws CorruptStateError */
export async function decodeState(body: Uint8Array): Promise<Map<string, Uint8Array>> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes.length < HEADER || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new CorruptStateError('The object is not a checkpoint');
  if (bytes[MAGIC.length] !== VERSION)
    throw new CorruptStateError(`The checkpoint has version ${bytes[MAGIC.length]}, not ${VERSION}`);
  const packed = bytes.subarray(HEADER);
  if (
    !createHash('sha256')
      .update(packed)
      .digest()
      .equals(bytes.subarray(MAGIC.length + 1, HEADER))
  )
    throw new CorruptStateError('The checkpoint does not match its checksum');
  try {
    return unpack(await decompress(packed, { maxOutputLength: MAX_BYTES }));
  } catch (cause) {
    throw new CorruptStateError('The checkpoint cannot be unpacked', { cause });
  }
}

function pack(state: ReadonlyMap<string, Uint8Array>): Buffer {
  const keys = Array.from(state.keys(), (key) => Buffer.from(key));
  let size = 4 + keys.length * 8;
  for (const key of keys) size += key.length;
  for (const value of state.values()) size += value.length;
  const packed = Buffer.allocUnsafe(size);
  let at = packed.writeUInt32LE(keys.length, 0);
  let index = 0;
  for (const value of state.values()) {
    const key = keys[index++];
    if (key === undefined) break;
    at = packed.writeUInt32LE(key.length, at);
    packed.set(key, at);
    at = packed.writeUInt32LE(value.length, at + key.length);
    packed.set(value, at);
    at += value.length;
  }
  return packed;
}

function unpack(packed: Buffer): Map<string, Uint8Array> {
  const state = new Map<string, Uint8Array>();
  let at = 0;
  const number = () => {
    at += 4;
    return packed.readUInt32LE(at - 4);
  };
  const slice = () => {
    const length = number();
    if (at + length > packed.length) throw new RangeError('length beyond the end');
    at += length;
    return packed.subarray(at - length, at);
  };
  for (let left = number(); left > 0; left -= 1) {
    const key = slice().toString();
    state.set(key, Uint8Array.from(slice()));
  }
  if (at !== packed.length) throw new RangeError('bytes behind the end');
  return state;
}
