import { type Account, type Device, lidJid, nowSeconds, pnJid } from './accounts.ts';
import { deliver } from './delivery.ts';
import { type Group, groupJid } from './groups.ts';
import type { Server } from './server.ts';
import { type AttrValue, type BinaryNode, node } from './wire/binary-node.ts';
import type { Jid } from './wire/jid.ts';

/** A member's address as the group's addressing mode wants it. */
export const memberJid = (group: Group, account: Account, device = 0): Jid =>
  group.addressing === 'lid' ? lidJid(account, device) : pnJid(account, device);

/** The member's other address under `<prefix>_pn` or `<prefix>_lid`. */
export function alternate(group: Group, account: Account, prefix: string): Readonly<Record<string, AttrValue>> {
  return group.addressing === 'lid' ? { [`${prefix}_pn`]: pnJid(account) } : { [`${prefix}_lid`]: lidJid(account) };
}

/** A `<participant>`; its alternate address is called `phone_number` or `lid`. */
export function participantNode(group: Group, account: Account, error?: string): BinaryNode {
  const role = group.members.get(account);
  return node('participant', {
    jid: memberJid(group, account),
    ...(group.addressing === 'lid' ? { phone_number: pnJid(account) } : { lid: lidJid(account) }),
    type: role === undefined || role === 'member' ? undefined : role,
    error,
  });
}

/** The whole group as queries and creation notifications carry it. */
export function groupNode(group: Group): BinaryNode {
  const { description } = group;
  const attrs = {
    id: group.id,
    subject: group.subject,
    creation: String(group.creation),
    creator: memberJid(group, group.creator),
    ...alternate(group, group.creator, 'creator'),
    s_t: String(group.subjectAt),
    s_o: memberJid(group, group.subjectBy),
    ...alternate(group, group.subjectBy, 's_o'),
    addressing_mode: group.addressing,
    size: String(group.members.size),
    a_v_id: String(group.version),
    p_v_id: String(group.version),
  };
  const content: BinaryNode[] = [];
  if (description) {
    const about = { id: description.id, t: String(description.at), participant: memberJid(group, description.by) };
    content.push(
      node('description', { ...about, ...alternate(group, description.by, 'participant') }, [
        node('body', {}, Buffer.from(description.text)),
      ]),
    );
  }
  if (group.announcement) content.push(node('announcement'));
  if (group.locked) content.push(node('locked'));
  if (group.ephemeral > 0) content.push(node('ephemeral', { expiration: String(group.ephemeral) }));
  content.push(node('member_add_mode', {}, Buffer.from(group.memberAddMode)));
  if (group.joinApproval) {
    content.push(node('membership_approval_mode', {}, [node('group_join', { state: 'on' })]));
  }
  for (const account of group.members.keys()) content.push(participantNode(group, account));
  return node('group', attrs, content);
}

/** Tells every linked device of the recipients, the actor's included, about something that happened in the group. */
export function notifyGroup(
  server: Server,
  group: Group,
  actor: Device,
  change: BinaryNode,
  recipients: Iterable<Account> = group.members.keys(),
): void {
  const attrs = {
    from: groupJid(group),
    type: 'w:gp2',
    t: String(nowSeconds()),
    participant: memberJid(group, actor.account),
    ...alternate(group, actor.account, 'participant'),
    notify: actor.account.name || undefined,
    addressing_mode: group.addressing,
  };
  for (const account of recipients) {
    for (const device of account.devices.values()) {
      if (device.id === 0) continue;
      deliver(server, device, node('notification', { ...attrs, id: server.nextId() }, [change]));
    }
  }
}
