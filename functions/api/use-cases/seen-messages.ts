import type { NamedMessage } from '#shared/contracts/api/fields.ts';
import type { MessageReference } from '#shared/contracts/commands.ts';
import { type ChatId, isGroup } from '#shared/domain/chat-id.ts';
import { ACKS } from '#shared/domain/message-ack.ts';
import type { ApiDeps } from '../deps.ts';
import { findReference, referenceTo } from './message-references.ts';

const SEVEN_DAYS_SECONDS = 7 * 86_400;
/** WAHA's figures for a call without ids. */
const MOST = { group: 100, other: 30 } as const;

export interface SeenRequest {
  readonly chatId: ChatId;
  readonly messageId?: NamedMessage | null | undefined;
  readonly messageIds?: readonly NamedMessage[] | null | undefined;
  readonly participant?: ChatId | null | undefined;
}

/** The messages to be marked read: those named, or else what the chat has unread. */
export async function seenMessages(
  deps: Pick<ApiDeps, 'messages' | 'clock'>,
  session: string,
  wanted: SeenRequest,
): Promise<MessageReference[]> {
  const named = [...(wanted.messageIds ?? []), ...(wanted.messageId ? [wanted.messageId] : [])];
  const found =
    named.length > 0
      ? await Promise.all(named.map((message) => findReference(deps, session, message, wanted.chatId)))
      : await unread(deps, session, wanted.chatId);
  return found.filter((reference) => reference !== undefined).map((reference) => marked(reference, wanted.participant));
}

async function unread({ messages, clock }: Pick<ApiDeps, 'messages' | 'clock'>, session: string, chatId: ChatId) {
  const rows = await messages.query(session, {
    chatId,
    limit: isGroup(chatId) ? MOST.group : MOST.other,
    offset: 0,
    sortOrder: 'desc',
    fromMe: false,
    timestampFrom: Math.floor(clock.now() / 1000) - SEVEN_DAYS_SECONDS,
  });
  return rows.filter((row) => row.ack < ACKS.READ).map(referenceTo);
}

/** The messages have been marked read: a later call without ids does not name them again. Own ones are read by others. */
export async function rememberSeen(
  { messages }: Pick<ApiDeps, 'messages'>,
  session: string,
  seen: readonly MessageReference[],
): Promise<void> {
  await Promise.all(
    seen
      .filter((reference) => !reference.fromMe)
      .map(async ({ id }) => {
        // Only what is known: an id that a client made up is no message.
        if (await messages.get(session, id)) await messages.raiseAck(session, id, ACKS.READ);
      }),
  );
}

function marked(reference: MessageReference, participant: ChatId | null | undefined): MessageReference {
  const { content: _notNeeded, ...rest } = reference;
  return participant && rest.participant === undefined ? { ...rest, participant } : rest;
}
