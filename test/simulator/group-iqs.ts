import { type Account, type Device, nowSeconds } from './accounts.ts';
import { groupNode, notifyGroup, participantNode } from './group-nodes.ts';
import { type Group, groupJid, isAdmin, newInviteCode } from './groups.ts';
import { IqError, type IqHandler, type IqRequest, type IqTable } from './iq-router.ts';
import type { Server } from './server.ts';
import {
  attrText,
  type BinaryNode,
  bytes,
  child,
  children,
  node,
  requireJid,
  requireText,
} from './wire/binary-node.ts';

type MemberChange = 'add' | 'remove' | 'promote' | 'demote';

export const groupIqs: IqTable = {
  'w:g2 set create': ({ server, device, child: create }) => {
    const subject = requireText(create, 'subject');
    const members = accountsIn(server, create);
    return [createGroup(server, device, subject, members)];
  },
  'w:g2 get participating': ({ server, device }) => [
    node('groups', {}, server.groups.of(device.account).map(groupNode)),
  ],
  'w:g2 get query': (request) => [groupNode(ownGroup(request))],
  'w:g2 get invite': (request) => {
    const code = attrText(request.child, 'code');
    if (code === undefined) return [node('invite', { code: adminGroup(request).inviteCode })];
    return [groupNode(invitedGroup(request.server, code))];
  },
  'w:g2 set invite': (request) => {
    const code = attrText(request.child, 'code');
    if (code !== undefined) return [join(request, invitedGroup(request.server, code))];
    const group = adminGroup(request);
    group.inviteCode = newInviteCode();
    const invite = node('invite', { code: group.inviteCode });
    notifyGroup(request.server, group, request.device, invite);
    return [invite];
  },
  'w:g2 set accept': (request) => {
    const group = namedGroup(request);
    if (attrText(request.child, 'code') !== group.inviteCode) throw new IqError(401, 'not-authorized');
    return [join(request, group)];
  },
  'w:g2 set leave': ({ server, device, child: leave }) => {
    const left = children(leave, 'group').map((each) => {
      const group = server.groups.find(requireText(each, 'id').replace('@g.us', ''));
      if (!group?.members.has(device.account)) throw new IqError(404, 'item-not-found');
      changeMembers(server, group, device, 'remove', [device.account]);
      return node('group', { id: groupJid(group) });
    });
    return [node('leave', {}, left)];
  },
  'w:g2 set add': (request) => members(request, 'add'),
  'w:g2 set remove': (request) => members(request, 'remove'),
  'w:g2 set promote': (request) => members(request, 'promote'),
  'w:g2 set demote': (request) => members(request, 'demote'),
  'w:g2 set subject': (request) => {
    const group = editableGroup(request);
    group.subject = bytes(request.child)?.toString() ?? '';
    group.subjectAt = nowSeconds();
    group.subjectBy = request.device.account;
    const change = { subject: group.subject.replaceAll('@', ''), s_t: String(group.subjectAt) };
    return changed(request, group, node('subject', change));
  },
  'w:g2 set description': (request) => {
    const group = editableGroup(request);
    const body = child(request.child, 'body');
    const text = body && bytes(body)?.toString();
    const id = attrText(request.child, 'id') ?? request.server.nextId();
    group.description = text ? { id, text, at: nowSeconds(), by: request.device.account } : undefined;
    return changed(
      request,
      group,
      node('description', { id }, text ? [node('body', {}, Buffer.from(text))] : undefined),
    );
  },
  'w:g2 set announcement': setting((group) => {
    group.announcement = true;
  }),
  'w:g2 set not_announcement': setting((group) => {
    group.announcement = false;
  }),
  'w:g2 set locked': setting((group) => {
    group.locked = true;
  }),
  'w:g2 set unlocked': setting((group) => {
    group.locked = false;
  }),
  'w:g2 set ephemeral': setting((group, change) => {
    group.ephemeral = Number(requireText(change, 'expiration'));
  }),
  'w:g2 set not_ephemeral': setting((group) => {
    group.ephemeral = 0;
  }),
  'w:g2 set member_add_mode': setting((group, change) => {
    group.memberAddMode = bytes(change)?.toString() ?? 'admin_add';
  }),
  'w:g2 set membership_approval_mode': setting((group, change) => {
    const state = child(change, 'group_join');
    group.joinApproval = state !== undefined && attrText(state, 'state') === 'on';
  }),
  'w:g2 get membership_approval_requests': (request) => {
    adminGroup(request);
    return [node('membership_approval_requests')];
  },
  'w:g2 set membership_requests_action': (request) => {
    adminGroup(request);
    const actions = children(request.child).map(({ tag }) => node(tag));
    return [node('membership_requests_action', {}, actions)];
  },
  'w:g2 set revoke': (request) => {
    adminGroup(request);
    return [node('revoke')];
  },
};

/** Creates a group and tells its members; answers with the `<group>` of the result. */
export function createGroup(
  server: Server,
  creator: Device,
  subject: string,
  accounts: readonly Account[],
  addressing: Group['addressing'] = 'lid',
): BinaryNode {
  const group = server.groups.create(creator.account, subject, accounts, addressing, nowSeconds());
  const created = groupNode(group);
  server.changed();
  notifyGroup(server, group, creator, node('create', { type: 'new' }, [created]));
  return created;
}

/** Changes the member list and tells everybody concerned; answers `<participant>`s as the client's result has them. */
export function changeMembers(
  server: Server,
  group: Group,
  actor: Device,
  change: MemberChange,
  accounts: readonly Account[],
): readonly BinaryNode[] {
  const before = [...group.members.keys()];
  const concerned = accounts.filter((account) => group.members.has(account) !== (change === 'add'));
  const entries = concerned.map((account) => {
    applyChange(group, account, change);
    return participantNode(group, account);
  });
  if (concerned.length > 0) {
    const versions = { prev_v_id: String(group.version), v_id: String(group.version + 1) };
    group.version += 1;
    server.changed();
    notifyGroup(server, group, actor, node(change, versions, entries), before);
    if (change === 'add') {
      notifyGroup(server, group, actor, node('create', { type: 'existing' }, [groupNode(group)]), concerned);
    }
  }
  const refusal = change === 'add' ? '409' : '404';
  return accounts.map((account) => participantNode(group, account, concerned.includes(account) ? undefined : refusal));
}

function applyChange(group: Group, account: Account, change: MemberChange): void {
  if (change === 'remove') group.members.delete(account);
  else if (change === 'promote') group.members.set(account, 'admin');
  else group.members.set(account, 'member');
}

function members(request: IqRequest, change: MemberChange): readonly BinaryNode[] {
  const { server, device, child: list } = request;
  const group =
    change === 'add' && ownGroup(request).memberAddMode === 'all_member_add' ? ownGroup(request) : adminGroup(request);
  const unknown = children(list, 'participant')
    .map((each) => requireJid(each, 'jid'))
    .filter((address) => !server.accounts.find(address))
    .map((address) => node('participant', { jid: address, error: '404' }));
  return [node(change, {}, [...changeMembers(server, group, device, change, accountsIn(server, list)), ...unknown])];
}

function join({ server, device }: IqRequest, group: Group): BinaryNode {
  if (group.members.has(device.account)) throw new IqError(409, 'conflict');
  changeMembers(server, group, device, 'add', [device.account]);
  return node('group', { jid: groupJid(group) });
}

function setting(apply: (group: Group, change: BinaryNode) => void): IqHandler {
  return (request) => {
    const group = adminGroup(request);
    apply(group, request.child);
    return changed(
      request,
      group,
      node(request.child.tag, { ...request.child.attrs, v_id: String(group.version) }, request.child.content),
    );
  };
}

function changed({ server, device }: IqRequest, group: Group, change: BinaryNode): undefined {
  server.changed();
  notifyGroup(server, group, device, change);
}

function namedGroup({ server, iq }: IqRequest): Group {
  const group = server.groups.find(requireJid(iq, 'to').user);
  if (!group) throw new IqError(404, 'item-not-found');
  return group;
}

function ownGroup(request: IqRequest): Group {
  const group = namedGroup(request);
  if (!group.members.has(request.device.account)) throw new IqError(403, 'forbidden');
  return group;
}

function editableGroup(request: IqRequest): Group {
  const group = ownGroup(request);
  if (group.locked && !isAdmin(group, request.device.account)) throw new IqError(403, 'forbidden');
  return group;
}

function adminGroup(request: IqRequest): Group {
  const group = ownGroup(request);
  if (!isAdmin(group, request.device.account)) throw new IqError(403, 'forbidden');
  return group;
}

function invitedGroup(server: Server, code: string): Group {
  const group = server.groups.findByInvite(code);
  if (!group) throw new IqError(404, 'item-not-found');
  return group;
}

function accountsIn(server: Server, list: BinaryNode): readonly Account[] {
  return children(list, 'participant').flatMap((each) => {
    const account = server.accounts.find(requireJid(each, 'jid'));
    return account ? [account] : [];
  });
}
