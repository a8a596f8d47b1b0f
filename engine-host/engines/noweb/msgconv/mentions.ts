import type { proto } from '@whiskeysockets/baileys';
import { type LookUpOther, resolveAddress } from '../ids.ts';

/** Whom a message mentions. */
export interface Mentions {
  /** By phone number where it is known. */
  readonly mentions: readonly string[];
  /** LIDs of the same people, where they are known. */
  readonly mentionedLids: readonly string[];
  /** Everybody in the group, without a name. */
  readonly mentionsAll: boolean;
}

export async function readMentions(
  context: proto.IContextInfo | null | undefined,
  lookUp: LookUpOther,
): Promise<Mentions> {
  const jids = context?.mentionedJid ?? [];
  const people = await Promise.all(jids.map((jid) => resolveAddress(jid, undefined, lookUp)));
  return {
    mentions: people.flatMap((person) => person?.id ?? []),
    mentionedLids: people.flatMap((person) => person?.lid ?? []),
    mentionsAll: (context?.nonJidMentions ?? 0) > 0,
  };
}
