import { type Device, lidJid, pnJid } from './accounts.ts';
import { deliver } from './delivery.ts';
import { alternate, memberJid } from './group-nodes.ts';
import { groupJid } from './groups.ts';
import { commonAttrs, copiedChildren, recipients } from './message-parts.ts';
import type { Server } from './server.ts';
import { attrJid, type BinaryNode, children, node } from './wire/binary-node.ts';
import { type Jid, jid } from './wire/jid.ts';

const STATUS: Jid = jid('status', 'broadcast');

/** Fans a group message out: every member device gets the common ciphertext, and its own key distribution first. */
export function routeGroupMessage(server: Server, sender: Device, message: BinaryNode, to: Jid, t: number): void {
  const group = server.groups.find(to.user);
  if (!group) return;
  const attrs = {
    ...commonAttrs(message, sender, t),
    from: groupJid(group),
    participant: memberJid(group, sender.account, sender.id),
    ...alternate(group, sender.account, 'participant'),
    addressing_mode: group.addressing,
  };
  const shared = children(message, 'enc');
  const extras = copiedChildren(message);
  const resendTo = attrJid(message, 'participant');
  if (resendTo) {
    const target = server.accounts.findDevice(resendTo);
    if (target && group.members.has(target.account)) {
      deliver(server, target, node('message', attrs, [...shared, ...extras]));
    }
    return;
  }
  const own = new Map(recipients(server, message).map(({ device, enc }) => [device, enc]));
  for (const account of group.members.keys()) {
    for (const device of account.devices.values()) {
      if (device === sender) continue;
      // The key distribution has to be read before the message it unlocks.
      deliver(server, device, node('message', attrs, [...(own.get(device) ?? []), ...shared, ...extras]));
    }
  }
}

/** A status update goes to the devices its sender has listed, and to nobody else. */
export function routeStatus(server: Server, sender: Device, message: BinaryNode, t: number): void {
  const attrs = {
    ...commonAttrs(message, sender, t),
    from: STATUS,
    participant: pnJid(sender.account, sender.id),
    participant_lid: lidJid(sender.account),
  };
  const shared = children(message, 'enc');
  const extras = copiedChildren(message);
  const resendTo = attrJid(message, 'participant');
  const listed = resendTo
    ? [server.accounts.findDevice(resendTo)].flatMap((device) => (device ? [{ device, enc: [] }] : []))
    : statusAudience(server, sender, message);
  for (const { device, enc } of listed) {
    if (device !== sender) deliver(server, device, node('message', attrs, [...enc, ...shared, ...extras]));
  }
}

/**
 * A client lists only the devices that still lack its sender key, so the audience of earlier updates is remembered.
 * The sender's own devices always belong to it.
 */
function statusAudience(server: Server, sender: Device, message: BinaryNode): ReturnType<typeof recipients> {
  const named = recipients(server, message);
  const audience = server.statusAudiences.get(sender) ?? new Set<Device>(sender.account.devices.values());
  for (const { device } of named) audience.add(device);
  server.statusAudiences.set(sender, audience);
  const own = new Map(named.map(({ device, enc }) => [device, enc]));
  return [...audience].map((device) => ({ device, enc: own.get(device) ?? [] }));
}
