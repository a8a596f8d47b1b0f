/** Kinds of chats a session does not want to hear of; its sends go there all the same. */
export interface IgnoredKinds {
  readonly status?: boolean | null | undefined;
  readonly groups?: boolean | null | undefined;
  readonly channels?: boolean | null | undefined;
  readonly broadcast?: boolean | null | undefined;
}

/** @param chat a chat id or a JID: the kinds in question are named alike in both */
export function isIgnoredChat(kinds: IgnoredKinds | null | undefined, chat: string): boolean {
  if (chat === 'status@broadcast') return kinds?.status === true;
  return (
    (kinds?.groups === true && chat.endsWith('@g.us')) ||
    (kinds?.channels === true && chat.endsWith('@newsletter')) ||
    (kinds?.broadcast === true && chat.endsWith('@broadcast'))
  );
}
