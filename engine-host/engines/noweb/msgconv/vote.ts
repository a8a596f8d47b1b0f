import type { proto } from '@whiskeysockets/baileys';
import { toNumber } from './content.ts';

/** A vote, still encrypted with the secret of its poll. */
export interface Vote {
  /** The poll, seen from this account. */
  readonly poll: proto.IMessageKey;
  readonly sealed: proto.Message.IPollEncValue | null | undefined;
  /** Milliseconds since 1970; undefined when the voter did not say. */
  readonly timestamp: number | undefined;
}

export function readVote({ pollUpdateMessage }: proto.IMessage): Vote | undefined {
  if (!pollUpdateMessage?.pollCreationMessageKey?.id) return undefined;
  const { pollCreationMessageKey: poll, vote: sealed, senderTimestampMs } = pollUpdateMessage;
  return { poll, sealed, timestamp: toNumber(senderTimestampMs) || undefined };
}
