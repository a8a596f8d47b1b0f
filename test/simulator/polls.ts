import { createHash } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { type AnswerNames, messageSecret, sealAnswer } from './sealed-answers.ts';

/** A new poll with the secret that its votes are encrypted with. */
export function pollContent({ name, options }: { readonly name: string; readonly options: readonly string[] }) {
  const pollCreationMessageV3 = {
    name,
    options: options.map((optionName) => ({ optionName })),
    selectableOptionsCount: 0,
  };
  return { type: 'poll', message: { pollCreationMessageV3, ...messageSecret() } };
}

/** Encrypts a vote on a poll. @throws NotFound when the message is none. */
export function sealVote(message: proto.IMessage, names: AnswerNames, options: readonly string[]) {
  const selectedOptions = options.map((option) => createHash('sha256').update(option).digest());
  return sealAnswer(message, names, 'Poll Vote', proto.Message.PollVoteMessage.encode({ selectedOptions }).finish());
}
