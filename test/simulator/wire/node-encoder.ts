import type { AttrValue, BinaryNode } from './binary-node.ts';
import type { Jid } from './jid.ts';
import { HEX_ALPHABET, isPackable, NIBBLE_ALPHABET, pack } from './packed-text.ts';
import { AD_DOMAINS, TAG, TOKEN_BYTES } from './tokens.ts';
import { WireError } from './wire-error.ts';

const MAX_BINARY20 = 0xfffff;
const INTEROP_USER = /^(\d+)-(.*)$/s;

/** Appends the encoding of a node, without the flags byte. */
export function writeNode(out: Buffer[], { tag, attrs, content }: BinaryNode): void {
  if (tag === '') throw new WireError('a node needs a tag');
  const entries = Object.entries(attrs);
  writeListStart(out, 1 + 2 * entries.length + (content === undefined ? 0 : 1));
  writeText(out, tag);
  for (const [name, value] of entries) {
    writeText(out, name);
    writeAttr(out, value);
  }
  if (Buffer.isBuffer(content)) writeBinary(out, content);
  else if (content !== undefined) {
    writeListStart(out, content.length);
    for (const each of content) writeNode(out, each);
  }
}

function writeListStart(out: Buffer[], size: number): void {
  if (size === 0) out.push(Buffer.of(TAG.listEmpty));
  else if (size <= 0xff) out.push(Buffer.of(TAG.list8, size));
  else if (size <= 0xffff) out.push(Buffer.of(TAG.list16, size >> 8, size & 0xff));
  else throw new WireError(`a list of ${size} elements is too long`);
}

function writeAttr(out: Buffer[], value: AttrValue): void {
  if (typeof value === 'string') writeText(out, value);
  else writeJid(out, value);
}

function writeText(out: Buffer[], text: string): void {
  const token = TOKEN_BYTES.get(text);
  if (token) out.push(Buffer.from(token));
  else if (isPackable(text, NIBBLE_ALPHABET)) out.push(Buffer.of(TAG.nibble), pack(text, NIBBLE_ALPHABET));
  else if (isPackable(text, HEX_ALPHABET)) out.push(Buffer.of(TAG.hex), pack(text, HEX_ALPHABET));
  else if (text.isWellFormed()) writeBinary(out, Buffer.from(text));
  else throw new WireError('text is not well-formed Unicode');
}

function writeBinary(out: Buffer[], bytes: Buffer): void {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(bytes.length, 1);
  if (bytes.length <= 0xff) out.push(Buffer.of(TAG.binary8, bytes.length));
  else if (bytes.length <= MAX_BINARY20) out.push(Buffer.of(TAG.binary20), header.subarray(2));
  else {
    header[0] = TAG.binary32;
    out.push(header);
  }
  out.push(bytes);
}

function writeJid(out: Buffer[], { user, server, device = 0 }: Jid): void {
  if (device === 0) {
    out.push(Buffer.of(TAG.jidPair));
    if (user === '') out.push(Buffer.of(TAG.listEmpty));
    else writeText(out, user);
    writeText(out, server);
    return;
  }
  const domain = AD_DOMAINS.get(server);
  if (!isUnsigned(device, domain === undefined ? 0xffff : 0xff)) throw new WireError('device number out of range');
  if (domain !== undefined) {
    out.push(Buffer.of(TAG.adJid, domain, device));
    writeText(out, user);
  } else if (server === 'msgr') {
    out.push(Buffer.of(TAG.fbJid));
    writeText(out, user);
    writeUInt16(out, device);
    writeText(out, server);
  } else if (server === 'interop') {
    const [, integrator = '', bareUser = ''] = INTEROP_USER.exec(user) ?? [];
    if (integrator === '') throw new WireError('the user of an interop JID needs its integrator');
    out.push(Buffer.of(TAG.interopJid));
    writeText(out, bareUser);
    writeUInt16(out, device);
    writeUInt16(out, Number(integrator));
    writeText(out, server);
  } else throw new WireError('addresses at this server have no devices');
}

function writeUInt16(out: Buffer[], value: number): void {
  if (!isUnsigned(value, 0xffff)) throw new WireError('a 16 bit number is out of range');
  out.push(Buffer.of(value >> 8, value & 0xff));
}

function isUnsigned(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}
