import { inflateSync } from 'node:zlib';
import type { BinaryNode } from './binary-node.ts';
import { ByteReader } from './byte-reader.ts';
import { readNode } from './node-decoder.ts';
import { writeNode } from './node-encoder.ts';
import { WireError } from './wire-error.ts';

const COMPRESSED = 2;
const MAX_INFLATED_BYTES = 64 * 1024 * 1024;

/**
 * Encodes a node with its leading flags byte (0, never compressed).
 * @throws WireError when the node cannot be expressed.
 */
export function encodeNode(node: BinaryNode): Buffer {
  const parts = [Buffer.of(0)];
  writeNode(parts, node);
  return Buffer.concat(parts);
}

/**
 * Decodes a decrypted frame: flags byte, then one node, compressed or not, and nothing after it.
 * @throws WireError for everything else.
 */
export function decodeNode(frame: Buffer): BinaryNode {
  const flags = frame[0];
  if (flags === undefined) throw new WireError('a frame is empty');
  if ((flags & ~COMPRESSED) !== 0) throw new WireError(`unknown frame flags ${flags}`);
  const body = frame.subarray(1);
  const input = new ByteReader(flags === COMPRESSED ? inflate(body) : body);
  const node = readNode(input);
  if (input.remaining > 0) throw new WireError(`${input.remaining} bytes follow the node`);
  return node;
}

function inflate(compressed: Buffer): Buffer {
  try {
    return inflateSync(compressed, { maxOutputLength: MAX_INFLATED_BYTES });
  } catch (cause) {
    throw new WireError('a compressed frame cannot be inflated', { cause });
  }
}
