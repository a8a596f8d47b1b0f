import { createHash } from 'node:crypto';
import { decryptPollVote, type WAMessageKey } from '@whiskeysockets/baileys';
import type { Vote } from './msgconv/vote.ts';
import { type AnswerPorts, openAnswer } from './sealed-answers.ts';

/**
 * What a vote selects, as the poll words it.
 * @param key the vote's own
 * @returns undefined when it cannot be read, see `openAnswer`
 */
export async function selectedOptions(
  { poll, sealed }: Vote,
  key: WAMessageKey,
  ports: AnswerPorts,
): Promise<readonly string[] | undefined> {
  if (!sealed) return undefined;
  const opened = await openAnswer(poll, key, ports, ({ id, author, answerer, secret }) =>
    decryptPollVote(sealed, { pollMsgId: id, pollCreatorJid: author, voterJid: answerer, pollEncKey: secret }),
  );
  if (!opened) return undefined;
  const hashes = new Set(opened.answer.selectedOptions.map((hash) => Buffer.from(hash).toString('hex')));
  return opened.to.options.filter((option) => hashes.has(hashOf(option)));
}

function hashOf(option: string): string {
  return createHash('sha256').update(option).digest('hex');
}
