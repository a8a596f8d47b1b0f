import type { proto } from '@whiskeysockets/baileys';
import type { MessageContent } from './content.ts';
import { type Edit, readEdit } from './edit.ts';
import { readSealedEventResponse, type SealedEventResponse } from './event-response.ts';
import { type Reaction, readReaction } from './reaction.ts';
import { readContent } from './read-content.ts';
import { readRevoke } from './revoke.ts';
import { unwrap } from './unwrap.ts';
import { readVote, type Vote } from './vote.ts';

/** What a stanza's plaintext means to a client. */
export type Meaning =
  | { readonly kind: 'message'; readonly content: MessageContent }
  | { readonly kind: 'reaction'; readonly reaction: Reaction }
  | { readonly kind: 'edit'; readonly edit: Edit; readonly content: MessageContent }
  | { readonly kind: 'revoke'; readonly targetId: string }
  | { readonly kind: 'vote'; readonly vote: Vote }
  | { readonly kind: 'event-response'; readonly response: SealedEventResponse }
  | { readonly kind: 'nothing' };

export function readMessage(message: proto.IMessage): Meaning {
  const inner = unwrap(message);
  const reaction = readReaction(inner);
  if (reaction) return { kind: 'reaction', reaction };
  const edit = readEdit(inner);
  if (edit) {
    const content = readContent(edit.message);
    return content ? { kind: 'edit', edit, content } : { kind: 'nothing' };
  }
  const targetId = readRevoke(inner);
  if (targetId) return { kind: 'revoke', targetId };
  const vote = readVote(inner);
  if (vote) return { kind: 'vote', vote };
  const response = readSealedEventResponse(inner);
  if (response) return { kind: 'event-response', response };
  const content = readContent(inner);
  return content ? { kind: 'message', content } : { kind: 'nothing' };
}
