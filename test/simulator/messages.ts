import { addressLike, alternateLike, type Device, deviceName, nowSeconds } from './accounts.ts';
import type { ClientSession } from './client-session.ts';
import { deliver } from './delivery.ts';
import { routeGroupMessage, routeStatus } from './group-messages.ts';
import { commonAttrs, copiedChildren, recipients } from './message-parts.ts';
import type { Server } from './server.ts';
import {
  type AttrValue,
  attrJid,
  attrText,
  type BinaryNode,
  children,
  node,
  requireJid,
  requireText,
} from './wire/binary-node.ts';
import type { Jid } from './wire/jid.ts';

/** Takes a message from a client: acknowledged (or refused) first, then routed. */
export function acceptMessage(server: Server, session: ClientSession, sender: Device, message: BinaryNode): void {
  server.stats.messagesIn += 1;
  const id = requireText(message, 'id');
  const to = requireJid(message, 'to');
  const t = nowSeconds();
  if (server.faults.strike('swallow', { phone: sender.account.phone, device: sender.id, tag: 'message' })) return;
  const code = refusal(server, sender, to);
  if (code !== undefined) {
    server.stats.nacks += 1;
    session.send(node('ack', { class: 'message', id, from: to, t: String(t), error: String(code) }));
    return;
  }
  session.send(node('ack', { class: 'message', id, from: to, t: String(t) }));
  server.clientLog.takes(id, session.activeFrom);
  for (let left = server.ratchets.reuses(deviceName(sender), message); left > 0; left -= 1) {
    server.stats.counterReuses += 1;
    server.clientLog.note({ kind: 'reuse', phone: sender.account.phone, device: sender.id, id });
  }
  routeMessage(server, sender, message, t);
}

function refusal(server: Server, sender: Device, to: Jid): number | undefined {
  const target = { phone: sender.account.phone, device: sender.id, tag: 'message' };
  const fault = server.faults.strike('nack', target);
  if (fault) return fault.code ?? 463;
  if (to.server !== 'g.us') return undefined;
  const group = server.groups.find(to.user);
  if (!group) return 404;
  if (!group.members.has(sender.account)) return 403;
  if (group.announcement && group.members.get(sender.account) === 'member') return 403;
  return undefined;
}

/** Carries a message to every device it was encrypted for; `t` is the server's time for it, Unix seconds. */
export function routeMessage(server: Server, sender: Device, message: BinaryNode, t: number): void {
  const to = requireJid(message, 'to');
  if (to.server === 'g.us') routeGroupMessage(server, sender, message, to, t);
  else if (to.server === 'broadcast') routeStatus(server, sender, message, t);
  else routeDirect(server, sender, message, to, t);
}

function routeDirect(server: Server, sender: Device, message: BinaryNode, to: Jid, t: number): void {
  const single = children(message, 'enc');
  if (single.length > 0) {
    const target = server.accounts.findDevice(to);
    if (!target) return;
    const chat = attrJid(message, 'recipient') ?? to;
    deliver(server, target, directStanza(server, sender, target, message, chat, single, t));
    return;
  }
  for (const { device, enc } of recipients(server, message)) {
    if (device === sender || device.account.blocked.has(sender.account)) continue;
    deliver(server, device, directStanza(server, sender, device, message, to, enc, t));
  }
}

function directStanza(
  server: Server,
  sender: Device,
  target: Device,
  message: BinaryNode,
  chat: Jid,
  enc: readonly BinaryNode[],
  t: number,
): BinaryNode {
  const author = sender.account;
  const attrs: Record<string, AttrValue | undefined> = {
    ...commonAttrs(message, sender, t),
    from: addressLike(chat, author, sender.id),
  };
  if (attrText(message, 'category') === 'peer') {
    attrs.category = 'peer';
  } else if (target.account === author) {
    const partner = server.accounts.find(chat);
    attrs.recipient = { user: chat.user, server: chat.server };
    if (partner) {
      attrs[chat.server === 'lid' ? 'peer_recipient_pn' : 'peer_recipient_lid'] = alternateLike(chat, partner);
    }
  } else {
    attrs[chat.server === 'lid' ? 'sender_pn' : 'sender_lid'] = alternateLike(chat, author);
  }
  return node('message', attrs, [...enc, ...copiedChildren(message)]);
}
