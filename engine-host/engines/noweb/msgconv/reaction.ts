import type { proto } from '@whiskeysockets/baileys';
import { toNumber } from './content.ts';

export interface Reaction {
  /** The message that was reacted to, seen from this account. */
  readonly target: proto.IMessageKey;
  /** Empty when the reaction was taken back. */
  readonly text: string;
  /** Milliseconds since 1970; undefined when the sender did not say. */
  readonly timestamp: number | undefined;
}

export function readReaction({ reactionMessage }: proto.IMessage): Reaction | undefined {
  if (!reactionMessage?.key) return undefined;
  const timestamp = toNumber(reactionMessage.senderTimestampMs);
  return { target: reactionMessage.key, text: reactionMessage.text ?? '', timestamp: timestamp || undefined };
}
