import type { BinaryNode } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { groupChange, toGroupEvents } from './group-changes.ts';
import { decodeHappening, encodeHappening } from './happening.ts';

const ME = { id: '4915100000001:3@s.whatsapp.net', lid: '11100000000001@lid' };
const GROUP = '120363041234567890@g.us';
const attrs = {
  from: GROUP,
  type: 'w:gp2',
  id: '77',
  t: '1700000000',
  participant: '22200000000002@lid',
  offline: '1',
};

async function eventsOf(change: BinaryNode) {
  const kept = groupChange({ tag: 'notification', attrs, content: [change] });
  if (kept === undefined) throw new Error('nothing to keep');
  // As it comes back after a crash.
  const read = decodeHappening(encodeHappening(kept));
  if (read.kind !== 'group') throw new Error(`kept as ${read.kind}`);
  return toGroupEvents(read, ME, async (lid) => (lid === '22200000000002@lid' ? '4915100000002@s.whatsapp.net' : null));
}

const node = (tag: string, given: Record<string, string> = {}, content?: BinaryNode['content']): BinaryNode => ({
  tag,
  attrs: given,
  ...(content !== undefined && { content }),
});
const bytes = (text: string) => Buffer.from(text);

describe('changes of a group', () => {
  it.each<[string, BinaryNode, Record<string, unknown>]>([
    ['its subject', node('subject', { subject: 'New' }), { subject: 'New' }],
    ['its description', node('description', { id: '1' }, [node('body', {}, bytes('About'))]), { description: 'About' }],
    ['no description', node('description', { id: '1', delete: 'true' }), { description: '' }],
    ['admins alone may write', node('announcement'), { membersCanSendMessages: false }],
    ['everybody may write', node('not_announcement'), { membersCanSendMessages: true }],
    ['admins alone may edit', node('locked'), { membersCanEditInfo: false }],
    ['everybody may edit', node('unlocked'), { membersCanEditInfo: true }],
    ['everybody may add', node('member_add_mode', {}, bytes('all_member_add')), { membersCanAddNewMember: true }],
    ['admins alone may add', node('member_add_mode', {}, bytes('admin_add')), { membersCanAddNewMember: false }],
    [
      'who joins has to be let in',
      node('membership_approval_mode', {}, [node('group_join', { state: 'on' })]),
      { newMembersApprovalRequired: true },
    ],
    ['its link', node('invite', { code: 'ABC' }), { invite: 'https://chat.whatsapp.com/ABC' }],
  ])('%s', async (_, change, expected) => {
    expect(await eventsOf(change)).toEqual([
      {
        body: {
          event: 'group.v2.update',
          payload: {
            timestamp: 1_700_000_000,
            group: { id: GROUP, ...expected },
            _data: { author: '4915100000002@c.us', lid: '22200000000002@lid', change: change.tag },
          },
        },
        key: `${GROUP}_77`,
        timestamp: 1_700_000_000_000,
      },
    ]);
  });

  it('are told apart: others leave, the account itself leaves', async () => {
    const people = [
      node('participant', { jid: '11100000000001@lid' }),
      node('participant', { jid: '33300000000003@lid' }),
    ];
    expect((await eventsOf(node('remove', {}, people))).map(({ body }) => [body.event, body.payload])).toMatchObject([
      ['group.v2.leave', { group: { id: GROUP } }],
      ['group.v2.participants', { type: 'leave', participants: [{ id: '33300000000003@lid', role: 'left' }] }],
    ]);
  });

  it('make no event where WAHA has none', async () => {
    expect(await eventsOf(node('created_membership_requests', { request_method: 'invite_link' }))).toEqual([]);
    expect(groupChange({ tag: 'notification', attrs })).toBeUndefined();
  });
});
