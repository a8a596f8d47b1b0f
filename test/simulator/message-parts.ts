import type { Device } from './accounts.ts';
import type { Server } from './server.ts';
import {
  type AttrValue,
  attrText,
  type BinaryNode,
  child,
  children,
  requireJid,
  requireText,
} from './wire/binary-node.ts';

/** Children of a client's message that are addressing or ciphertext and not copied to the recipients as they are. */
const ROUTED = new Set(['participants', 'enc']);

/** The attributes every delivered message has, whatever kind of chat it is in. */
export function commonAttrs(
  message: BinaryNode,
  sender: Device,
  t: number,
): Readonly<Record<string, AttrValue | undefined>> {
  return {
    id: requireText(message, 'id'),
    type: attrText(message, 'type') ?? 'text',
    edit: attrText(message, 'edit'),
    t: String(t),
    notify: sender.account.name || undefined,
  };
}

/** What travels along unchanged: device identity, reporting, metadata. */
export function copiedChildren(message: BinaryNode): readonly BinaryNode[] {
  return children(message).filter(({ tag }) => !ROUTED.has(tag));
}

/** The known devices a message names, each with the ciphertext made for it. */
export function recipients(
  server: Server,
  message: BinaryNode,
): readonly { readonly device: Device; readonly enc: readonly BinaryNode[] }[] {
  const list = child(message, 'participants');
  if (!list) return [];
  return children(list, 'to').flatMap((entry) => {
    const device = server.accounts.findDevice(requireJid(entry, 'jid'));
    return device ? [{ device, enc: children(entry, 'enc') }] : [];
  });
}
