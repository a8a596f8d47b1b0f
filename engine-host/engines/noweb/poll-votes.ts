import { createHash } from 'node:crypto';
import { decryptPollVote, isJidGroup, jidNormalizedUser, type WAMessageKey } from '@whiskeysockets/baileys';
import type { LookUpOther } from './ids.ts';
import type { Vote } from './msgconv/vote.ts';
import type { Poll } from './polls.ts';

export interface VotePorts {
  lookUpOther: LookUpOther;
  findPoll(id: string): Promise<Poll | undefined>;
  /** The account's own JIDs: phone number and LID. */
  ownJids(): readonly string[];
}

/**
 * What a vote selects, as the poll words it.
 * @param key the vote's own
 * @returns undefined when the poll is unknown, or the vote was not made with its secret
 */
export async function selectedOptions(
  { poll: pollKey, sealed }: Vote,
  key: WAMessageKey,
  ports: VotePorts,
): Promise<readonly string[] | undefined> {
  const { id: pollMsgId } = pollKey;
  const poll = pollMsgId ? await ports.findPoll(pollMsgId) : undefined;
  if (!pollMsgId || !poll || !sealed) return undefined;
  const { participantAlt: _, ...chat } = key;
  const named = authorsOf({ ...chat, participant: pollKey.participant ?? null });
  const creators = await allForms([...(pollKey.fromMe ? ports.ownJids() : named), ...poll.authors], ports);
  const voters = await allForms(key.fromMe ? ports.ownJids() : authorsOf(key), ports);
  for (const pollCreatorJid of creators) {
    for (const voterJid of voters) {
      const hashes = open(sealed, { pollCreatorJid, pollMsgId, pollEncKey: poll.secret, voterJid });
      if (hashes) return poll.options.filter((option) => hashes.has(hashOf(option)));
    }
  }
  return undefined;
}

/** Which of a person's addresses went into the key is up to the voter's device. */
function open(...[sealed, context]: Parameters<typeof decryptPollVote>): ReadonlySet<string> | undefined {
  try {
    const { selectedOptions: hashes } = decryptPollVote(sealed, context);
    return new Set(hashes.map((hash) => Buffer.from(hash).toString('hex')));
  } catch {
    // Not with these addresses; whoever asks counts when none fits.
    return undefined;
  }
}

function hashOf(option: string): string {
  return createHash('sha256').update(option).digest('hex');
}

function authorsOf(key: WAMessageKey): readonly string[] {
  const { remoteJid, remoteJidAlt, participant, participantAlt } = key;
  const jids = isJidGroup(remoteJid ?? undefined) ? [participant, participantAlt] : [remoteJid, remoteJidAlt];
  return jids.filter((jid) => typeof jid === 'string');
}

async function allForms(jids: readonly string[], { lookUpOther }: VotePorts): Promise<ReadonlySet<string>> {
  const known = new Set(jids.map((jid) => jidNormalizedUser(jid)).filter((jid) => jid !== ''));
  for (const jid of [...known]) {
    const other = await lookUpOther(jid);
    if (other) known.add(jidNormalizedUser(other));
  }
  return known;
}
