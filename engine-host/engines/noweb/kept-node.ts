import type { BinaryNode } from '@whiskeysockets/baileys';
import * as z from 'zod';

/** A part of a stanza as it came, to be kept in the session's state. `content` is empty where there are children. */
export type KeptNode = {
  readonly tag: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly children: readonly KeptNode[];
  readonly content: Uint8Array;
};

export const keptNodeSchema: z.ZodType<KeptNode> = z.lazy(() =>
  z.object({
    tag: z.string(),
    attrs: z.record(z.string(), z.string()),
    children: z.array(keptNodeSchema),
    content: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  }),
);

export function keptNode({ tag, attrs, content }: BinaryNode): KeptNode {
  const children = Array.isArray(content) ? content.map(keptNode) : [];
  const own = typeof content === 'string' ? Buffer.from(content) : content;
  return { tag, attrs: presentAttrs(attrs), children, content: own instanceof Uint8Array ? own : new Uint8Array() };
}

/** Attributes that are there: Baileys has undefined where a stanza lacks one. */
export function presentAttrs(attrs: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(attrs).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

export function childrenOf(node: KeptNode, tag: string): readonly KeptNode[] {
  return node.children.filter((each) => each.tag === tag);
}

export function childOf(node: KeptNode | undefined, tag: string): KeptNode | undefined {
  return node?.children.find((each) => each.tag === tag);
}

export function textOf(node: KeptNode | undefined): string {
  return node === undefined ? '' : Buffer.from(node.content).toString();
}
