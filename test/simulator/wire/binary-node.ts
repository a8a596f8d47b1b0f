import { formatJid, type Jid } from './jid.ts';
import { WireError } from './wire-error.ts';

/** An attribute is either text or an address; the two are encoded differently and clients care. */
export type AttrValue = string | Jid;

/** One stanza, or one element of it. Content is children or bytes, never text: text could turn into a token on its way. */
export interface BinaryNode {
  readonly tag: string;
  readonly attrs: Readonly<Record<string, AttrValue>>;
  readonly content?: readonly BinaryNode[] | Buffer;
}

/** Builds a node; attributes that are `undefined` are left out. */
export function node(
  tag: string,
  attrs: Readonly<Record<string, AttrValue | undefined>> = {},
  content?: readonly BinaryNode[] | Buffer | undefined,
): BinaryNode {
  const present: [string, AttrValue][] = [];
  for (const [name, value] of Object.entries(attrs)) if (value !== undefined) present.push([name, value]);
  const bare = { tag, attrs: Object.fromEntries(present) };
  return content === undefined ? bare : { ...bare, content };
}

/** The children of a node in order, only those with `tag` when it is given; empty when the content is bytes or missing. */
export function children(parent: BinaryNode, tag?: string): readonly BinaryNode[] {
  if (parent.content === undefined || Buffer.isBuffer(parent.content)) return [];
  return tag === undefined ? parent.content : parent.content.filter((each) => each.tag === tag);
}

/** The first child with `tag`. */
export function child(parent: BinaryNode, tag: string): BinaryNode | undefined {
  return children(parent, tag)[0];
}

/** @throws WireError when there is no such child. */
export function requireChild(parent: BinaryNode, tag: string): BinaryNode {
  const found = child(parent, tag);
  if (!found) throw new WireError(`<${parent.tag}> has no <${tag}>`);
  return found;
}

/** The bytes of a node; `undefined` when it has children or no content. */
export function bytes(of: BinaryNode): Buffer | undefined {
  return Buffer.isBuffer(of.content) ? of.content : undefined;
}

/** @throws WireError when the content is not bytes, or not exactly `length` of them when that is given. */
export function requireBytes(of: BinaryNode, length?: number): Buffer {
  const found = bytes(of);
  if (!found) throw new WireError(`<${of.tag}> has no bytes`);
  if (length !== undefined && found.length !== length) {
    throw new WireError(`<${of.tag}> has ${found.length} bytes instead of ${length}`);
  }
  return found;
}

/** An attribute as text; an address is formatted, because clients encode every text with an `@` as one. */
export function attrText(of: BinaryNode, name: string): string | undefined {
  const value = attr(of, name);
  return typeof value === 'object' ? formatJid(value) : value;
}

/** @throws WireError when the attribute is missing. */
export function requireText(of: BinaryNode, name: string): string {
  const value = attrText(of, name);
  if (value === undefined) throw new WireError(`<${of.tag}> has no attribute ${name}`);
  return value;
}

/** @throws WireError when the attribute is there but was sent as text. */
export function attrJid(of: BinaryNode, name: string): Jid | undefined {
  const value = attr(of, name);
  if (typeof value === 'string') throw new WireError(`attribute ${name} of <${of.tag}> was not sent as a JID`);
  return value;
}

/** @throws WireError when the attribute is missing or was sent as text. */
export function requireJid(of: BinaryNode, name: string): Jid {
  const value = attrJid(of, name);
  if (value === undefined) throw new WireError(`<${of.tag}> has no attribute ${name}`);
  return value;
}

function attr(of: BinaryNode, name: string): AttrValue | undefined {
  return Object.hasOwn(of.attrs, name) ? of.attrs[name] : undefined;
}
