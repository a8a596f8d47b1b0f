import type { ContentReader } from './content.ts';

export const readGroupInvite: ContentReader = ({ groupInviteMessage }) =>
  groupInviteMessage
    ? { type: 'group-invite', body: groupInviteMessage.caption ?? '', context: groupInviteMessage.contextInfo }
    : undefined;
