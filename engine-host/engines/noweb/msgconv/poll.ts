import type { proto } from '@whiskeysockets/baileys';
import type { ContentReader } from './content.ts';

/** A new poll; the question is the body. */
export const readPoll: ContentReader = (message) => {
  const poll = pollOf(message);
  return poll ? { type: 'poll', body: poll.name ?? '', context: poll.contextInfo } : undefined;
};

/** The poll that a message opens. */
export function pollOf(message: proto.IMessage): proto.Message.IPollCreationMessage | null | undefined {
  const { pollCreationMessageV4: wrapped } = message;
  return (
    message.pollCreationMessage ??
    message.pollCreationMessageV2 ??
    message.pollCreationMessageV3 ??
    message.pollCreationMessageV5 ??
    (wrapped?.message ? pollOf({ ...wrapped.message, pollCreationMessageV4: null }) : undefined)
  );
}
