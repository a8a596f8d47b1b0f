import type { ContentReader } from './content.ts';

/** A new poll; the question is the body. */
export const readPoll: ContentReader = (message) => {
  const poll = message.pollCreationMessage ?? message.pollCreationMessageV2 ?? message.pollCreationMessageV3;
  return poll ? { type: 'poll', body: poll.name ?? '', context: poll.contextInfo } : undefined;
};
