import type { BinaryNode } from '@whiskeysockets/baileys';
import type { GroupJoinPayload } from '#shared/contracts/event-payloads.ts';
import type { EventBody } from '#shared/contracts/events.ts';
import type { EngineEvent } from '../engine.ts';
import type { GroupChange } from './happening.ts';
import { jidToChatId, type LookUpOther, resolveAddress } from './ids.ts';
import { childOf, childrenOf, type KeptNode, keptNode, presentAttrs, textOf } from './kept-node.ts';
import { isMe } from './me.ts';
import type { OwnAddresses } from './rebuild-message.ts';
import { secondsOf } from './server-acks.ts';

type Group = GroupJoinPayload['group'];
type Participant = Group['participants'][number];

const INVITE_URL = 'https://chat.whatsapp.com/';
const TYPES = { add: 'join', remove: 'leave', leave: 'leave', promote: 'promote', demote: 'demote' } as const;
/** What members are after a change of theirs. */
const ROLES = { join: 'participant', leave: 'left', promote: 'admin', demote: 'participant' } as const;

/** What a `w:gp2` notification says, to be kept; undefined when it says nothing. */
export function groupChange({ attrs, content }: BinaryNode): GroupChange | undefined {
  const [change] = Array.isArray(content) ? content : [];
  if (change === undefined) return undefined;
  const { offline: _, ...rest } = attrs;
  return {
    kind: 'group',
    attrs: presentAttrs({ ...rest, t: String(secondsOf(attrs.t)) }),
    change: keptNode(change),
  };
}

/** @returns the events of a change of a group, in WAHA's terms; none for what has no event (requests to join, …) */
export async function toGroupEvents(
  { attrs, change }: GroupChange,
  me: OwnAddresses,
  lookUp: LookUpOther,
): Promise<EngineEvent[]> {
  const id = jidToChatId(attrs.from);
  if (id === undefined) return [];
  const author = await resolveAddress(attrs.participant, attrs.participant_pn ?? attrs.participant_lid, lookUp);
  const seconds = Number(attrs.t);
  const fields = {
    timestamp: seconds,
    _data: { author: author?.id ?? null, lid: author?.lid ?? null, change: change.tag },
  };
  const event = (body: EventBody): EngineEvent => ({ body, key: `${id}_${attrs.id}`, timestamp: seconds * 1000 });
  const update = (changes: Partial<Group> & { readonly invite?: string }) => [
    event({ event: 'group.v2.update', payload: { ...fields, group: { id, ...changes } } }),
  ];
  switch (change.tag) {
    case 'create': {
      const group = await describe(id, childOf(change, 'group') ?? change, lookUp);
      return [event({ event: 'group.v2.join', payload: { ...fields, group } })];
    }
    case 'add':
    case 'remove':
    case 'leave':
    case 'promote':
    case 'demote': {
      const type = TYPES[change.tag];
      const listed = childrenOf(change, 'participant');
      const gone = type === 'leave' && listed.some(({ attrs: { jid } }) => isMe(jid, me));
      const others = gone ? listed.filter(({ attrs: { jid } }) => !isMe(jid, me)) : listed;
      const participants = await Promise.all(others.map((each) => participant(each, ROLES[type], lookUp)));
      const events: EngineEvent[] = [];
      if (gone) events.push(event({ event: 'group.v2.leave', payload: { ...fields, group: { id } } }));
      if (participants.length > 0)
        events.push(
          event({ event: 'group.v2.participants', payload: { ...fields, type, group: { id }, participants } }),
        );
      return events;
    }
    case 'subject':
      return update({ subject: change.attrs.subject ?? '' });
    case 'description':
      return update({ description: textOf(childOf(change, 'body')) });
    case 'announcement':
    case 'not_announcement':
      return update({ membersCanSendMessages: change.tag === 'not_announcement' });
    case 'locked':
    case 'unlocked':
      return update({ membersCanEditInfo: change.tag === 'unlocked' });
    case 'member_add_mode':
      return update({ membersCanAddNewMember: textOf(change) === 'all_member_add' });
    case 'membership_approval_mode':
      return update({ newMembersApprovalRequired: childOf(change, 'group_join')?.attrs.state === 'on' });
    case 'invite':
      return update({ invite: `${INVITE_URL}${change.attrs.code ?? ''}` });
    default:
      return [];
  }
}

async function describe(id: string, group: KeptNode, lookUp: LookUpOther): Promise<Group> {
  const listed = childrenOf(group, 'participant');
  return {
    id,
    subject: group.attrs.subject ?? '',
    description: textOf(childOf(childOf(group, 'description'), 'body')),
    membersCanAddNewMember: textOf(childOf(group, 'member_add_mode')) === 'all_member_add',
    membersCanSendMessages: childOf(group, 'announcement') === undefined,
    membersCanEditInfo: childOf(group, 'locked') === undefined,
    newMembersApprovalRequired: childOf(childOf(group, 'membership_approval_mode'), 'group_join')?.attrs.state === 'on',
    participants: await Promise.all(listed.map((each) => participant(each, roleOf(each), lookUp))),
  };
}

function roleOf({ attrs: { type } }: KeptNode): Participant['role'] {
  return type === 'admin' || type === 'superadmin' ? type : 'participant';
}

async function participant({ attrs }: KeptNode, role: Participant['role'], lookUp: LookUpOther): Promise<Participant> {
  const address = await resolveAddress(attrs.jid, attrs.phone_number ?? attrs.lid, lookUp);
  const pn = address?.id.endsWith('@c.us') ? { pn: address.id } : {};
  const lid = address?.lid ? { lid: address.lid } : {};
  return { id: jidToChatId(attrs.jid) ?? attrs.jid ?? '', ...pn, ...lid, role };
}
