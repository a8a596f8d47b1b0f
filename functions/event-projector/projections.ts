import type * as z from 'zod';
import type { reactionPayloadSchema } from '#shared/contracts/event-payloads.ts';
import type { EventEnvelope } from '#shared/contracts/events.ts';
import { mediaAt, withoutAddresses } from '#shared/contracts/media-address.ts';
import type { WaMessage } from '#shared/contracts/message.ts';
import { ValidationError } from '#shared/domain/errors.ts';
import { ACKS } from '#shared/domain/message-ack.ts';
import { authorOf, type MessageAuthor } from '#shared/domain/message-author.ts';
import { type MessageKey, parseMessageId, writtenMessageId } from '#shared/domain/message-id.ts';
import type { ChatStore, MessageStore } from '#shared/ports/read-models.ts';

export interface ReadModels {
  readonly messages: MessageStore;
  readonly chats: ChatStore;
}

type Reaction = z.infer<typeof reactionPayloadSchema>;

/** Status updates are messages of a chat that nobody opens. */
const UNLISTED_CHAT = 'status@broadcast';

/**
 * Writes one event into the read models. The same event twice, and events in any order, leave the same models: every
 * write is one of the stores' idempotent ones.
 *
 * Of media the models have the path and not the address: the API's address may change, and answers are given at the one asked.
 *
 * A participant's receipt (`message.ack.group`) proves no more than that somebody's device has the message: it raises
 * the ack to DEVICE at most, which is how far a group's message comes here. Whether all have read it only who knows the
 * members can count; there is no event for it.
 *
 * @throws ValidationError when what an engine says is no message's id. Whatever a sender chooses on the wire is one
 */
export async function project(event: EventEnvelope, { messages, chats }: ReadModels): Promise<void> {
  const { session, timestamp, seq } = event;
  switch (event.event) {
    case 'message.any': {
      const key = parseMessageId(event.payload.id);
      if (key === undefined) throw notAMessageId('payload.id');
      const message = withoutAddresses(event.payload);
      await Promise.all([messages.add(session, message, seq), touchChat(chats, session, message, key, seq)]);
      return;
    }
    case 'message.ack':
    case 'message.ack.group': {
      const { id, ack } = event.payload;
      const proven = event.event === 'message.ack' ? ack : Math.min(ack, ACKS.DEVICE);
      // That the server has it, the message says itself: a write for each send would change nothing.
      if (proven !== ACKS.SERVER) await messages.raiseAck(session, targetId(id), proven);
      return;
    }
    case 'message.reaction': {
      const { text, messageId } = event.payload.reaction;
      const sender = reactionSender(event.payload, event.me?.id);
      await messages.react(session, targetId(messageId), writerOf(event.payload), sender, text, timestamp);
      return;
    }
    case 'message.edited': {
      const { editedMessageId, body, _data } = event.payload;
      const text = { body, ...(typeof _data?.content === 'string' && { content: _data.content }) };
      await messages.edit(session, editedMessageId, writerOf(event.payload), text, timestamp);
      return;
    }
    case 'message.revoked': {
      const { revokedMessageId, after } = event.payload;
      // WAHA's form allows it; then nobody knows whether whoever did it may.
      if (after !== null) await messages.revoke(session, revokedMessageId, writerOf(after), timestamp);
      return;
    }
    case 'message.media': {
      const { id, media } = event.payload;
      await messages.setMedia(session, targetId(id), writerOf(event.payload), mediaAt('', media), timestamp);
      return;
    }
    default:
  }
}

/** What an event's writes go to: events with different targets can be written side by side. */
export function targetOf(event: EventEnvelope): string {
  switch (event.event) {
    case 'message.any':
    case 'message.ack':
    case 'message.ack.group':
    case 'message.media':
      return target(event.session, targetId(event.payload.id));
    case 'message.reaction':
      return target(event.session, targetId(event.payload.reaction.messageId));
    case 'message.edited':
      return target(event.session, event.payload.editedMessageId);
    case 'message.revoked':
      return target(event.session, event.payload.revokedMessageId);
    default:
      return event.session;
  }
}

/** @param id as it is on the wire */
function target(session: string, id: string): string {
  return `${session}/${writtenMessageId(id)}`;
}

/** Bare id of the message that an event names by its long id. What an edit or a revocation names is a bare one as it came. */
function targetId(messageId: string): string {
  return parseMessageId(messageId)?.id ?? messageId;
}

async function touchChat(
  chats: ChatStore,
  session: string,
  message: WaMessage,
  key: MessageKey,
  seq: number,
): Promise<void> {
  if (key.chatId === UNLISTED_CHAT) return;
  const { timestamp } = message;
  await chats.touch(session, key.chatId, { id: key.id, timestamp, seq }, nameOf(message, key));
}

/** The other side of a one-to-one chat names itself in what it sends. */
function nameOf(message: WaMessage, { chatId }: MessageKey): string | undefined {
  const oneToOne = chatId.endsWith('@c.us') || chatId.endsWith('@lid');
  const pushName = message._data?.pushName;
  return oneToOne && !message.fromMe && typeof pushName === 'string' && pushName !== '' ? pushName : undefined;
}

function reactionSender({ fromMe, from, participant }: Reaction, me: string | undefined): string {
  return (fromMe ? me : undefined) ?? participant ?? from;
}

function writerOf(payload: Parameters<typeof authorOf>[0]): MessageAuthor {
  const author = authorOf(payload);
  if (author === undefined) throw notAMessageId('payload.id');
  return author;
}

function notAMessageId(path: string): ValidationError {
  return new ValidationError([{ path, message: 'must hold the id of a message' }]);
}
