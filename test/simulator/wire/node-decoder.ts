import type { AttrValue, BinaryNode } from './binary-node.ts';
import type { ByteReader } from './byte-reader.ts';
import { formatJid, type Jid, jid } from './jid.ts';
import { HEX_ALPHABET, NIBBLE_ALPHABET, packedSize, unpack } from './packed-text.ts';
import { AD_DOMAINS, dictionaryToken, singleByteToken, TAG } from './tokens.ts';
import { WireError } from './wire-error.ts';

const MAX_DEPTH = 64;
const AD_SERVERS: ReadonlyMap<number, string> = new Map([...AD_DOMAINS].map(([server, domain]) => [domain, server]));
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads one node, without the flags byte. */
export function readNode(input: ByteReader, depth = 0): BinaryNode {
  if (depth > MAX_DEPTH) throw new WireError(`nodes are nested deeper than ${MAX_DEPTH} levels`);
  const size = readListSize(input, input.byte());
  if (size === 0) throw new WireError('a node is an empty list');
  const tag = readText(input);
  if (tag === '') throw new WireError('a node has no tag');
  const attrs = new Map<string, AttrValue>();
  for (let left = (size - 1) >> 1; left > 0; left--) {
    const name = readText(input);
    if (attrs.has(name)) throw new WireError(`<${tag}> has the attribute ${name} twice`);
    attrs.set(name, readValue(input, input.byte()));
  }
  const bare = { tag, attrs: Object.fromEntries(attrs) };
  return size % 2 === 1 ? bare : { ...bare, content: readContent(input, depth) };
}

function readContent(input: ByteReader, depth: number): readonly BinaryNode[] | Buffer {
  const tag = input.byte();
  if (isListTag(tag)) {
    const nodes: BinaryNode[] = [];
    for (let left = readListSize(input, tag); left > 0; left--) nodes.push(readNode(input, depth + 1));
    return nodes;
  }
  const binary = readBinary(input, tag);
  if (binary) return binary;
  const value = readValue(input, tag);
  return Buffer.from(typeof value === 'string' ? value : formatJid(value));
}

function isListTag(tag: number): boolean {
  return tag === TAG.listEmpty || tag === TAG.list8 || tag === TAG.list16;
}

function readListSize(input: ByteReader, tag: number): number {
  if (tag === TAG.listEmpty) return 0;
  if (tag === TAG.list8) return input.byte();
  if (tag === TAG.list16) return input.uint(2);
  throw new WireError(`expected a list, found tag ${tag}`);
}

function readBinary(input: ByteReader, tag: number): Buffer | undefined {
  if (tag === TAG.binary8) return input.bytes(input.byte());
  // Only 20 of the 24 bits count, as in the clients.
  if (tag === TAG.binary20) return input.bytes(input.uint(3) & 0xfffff);
  if (tag === TAG.binary32) return input.bytes(input.uint(4));
  return undefined;
}

function readText(input: ByteReader): string {
  const value = readValue(input, input.byte());
  if (typeof value !== 'string') throw new WireError('expected text, found a JID');
  return value;
}

function readValue(input: ByteReader, tag: number): AttrValue {
  const token = singleByteToken(tag);
  if (token !== undefined) return token;
  if (tag >= TAG.dictionary0 && tag <= TAG.dictionary3) {
    const index = input.byte();
    const word = dictionaryToken(tag - TAG.dictionary0, index);
    if (word === undefined) throw new WireError(`dictionary ${tag - TAG.dictionary0} has no word ${index}`);
    return word;
  }
  const binary = readBinary(input, tag);
  if (binary) return decodeUtf8(binary);
  switch (tag) {
    case TAG.listEmpty:
      return '';
    case TAG.nibble:
      return readPacked(input, NIBBLE_ALPHABET);
    case TAG.hex:
      return readPacked(input, HEX_ALPHABET);
    case TAG.jidPair:
      return readJidPair(input);
    case TAG.adJid:
      return readAdJid(input);
    case TAG.fbJid:
      return readFbJid(input);
    case TAG.interopJid:
      return readInteropJid(input);
    default:
      throw new WireError(`unknown tag ${tag}`);
  }
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new WireError('text is not valid UTF-8', { cause });
  }
}

function readPacked(input: ByteReader, alphabet: string): string {
  const lengthByte = input.byte();
  return unpack(lengthByte, input.bytes(packedSize(lengthByte)), alphabet);
}

function readJidPair(input: ByteReader): Jid {
  const user = readText(input);
  const server = readText(input);
  if (server === '') throw new WireError('a JID has no server');
  return jid(user, server);
}

function readAdJid(input: ByteReader): Jid {
  const domain = input.byte();
  const device = input.byte();
  const server = AD_SERVERS.get(domain);
  if (server === undefined) throw new WireError(`unknown JID domain ${domain}`);
  return jid(readText(input), server, device);
}

function readFbJid(input: ByteReader): Jid {
  const user = readText(input);
  const device = input.uint(2);
  return jid(user, readText(input), device);
}

function readInteropJid(input: ByteReader): Jid {
  const user = readText(input);
  const device = input.uint(2);
  const integrator = input.uint(2);
  const server = readText(input);
  if (server !== 'interop') throw new WireError('an interop JID names another server');
  return jid(`${integrator}-${user}`, server, device);
}
