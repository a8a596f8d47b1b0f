import type { WaMedia, WaMessage } from '../contracts/message.ts';
import { type MessageRow, messageRowSchema } from '../contracts/rows.ts';
import { isChatId } from '../domain/chat-id.ts';
import { ValidationError } from '../domain/errors.ts';
import { ACKS, type Ack, ackName } from '../domain/message-ack.ts';
import { parseMessageId } from '../domain/message-id.ts';
import type { MessageQuery } from '../ports/read-models.ts';

/** Where a message stands in the read model. */
export interface MessagePlace {
  /** Bare message id. */
  readonly id: string;
  readonly chatId: string;
  readonly chatKey: string;
  readonly position: string;
}

export interface ReactionFact {
  readonly text: string;
  /** Milliseconds. */
  readonly at: number;
}

interface EditFact {
  readonly body: string;
  readonly content?: string | undefined;
  /** Milliseconds. */
  readonly at: number;
}

interface MediaFact {
  readonly media: WaMedia;
  /** Where it is, or why it is not there: decides between two of the same time. */
  readonly text: string;
  /** Milliseconds. */
  readonly at: number;
}

export function mediaFact(media: WaMedia, at: number): MediaFact {
  return { media, text: media.url ?? media.error ?? '', at };
}

/**
 * What is known of a message, each kind of news apart from the others, so that it does not matter in which order they
 * come. The row that readers see is composed from them.
 */
export interface MessageFacts {
  readonly session: string;
  readonly id: string;
  readonly placed?: (MessagePlace & { readonly message: WaMessage }) | undefined;
  readonly ack?: number | undefined;
  readonly edit?: EditFact | undefined;
  readonly revokedAt?: number | undefined;
  readonly media?: MediaFact | undefined;
  readonly reactions: ReadonlyMap<string, ReactionFact>;
}

/** Sorts by time, then by what came first. @param timestamp seconds @param seq number of the event */
export function positionOf(timestamp: number, seq: number, id: string): string {
  return `${secondsKey(timestamp)}#${String(seq).padStart(15, '0')}#${id}`;
}

/** First and last position of a span of time, both inclusive. Ids have no character above `~`. */
export function positionRange(query: Pick<MessageQuery, 'timestampFrom' | 'timestampTo'>): readonly [string, string] {
  return [secondsKey(query.timestampFrom ?? 0), `${secondsKey(query.timestampTo ?? 999_999_999_999)}#~`];
}

function secondsKey(seconds: number): string {
  return String(Math.max(0, Math.floor(seconds))).padStart(12, '0');
}

export function chatKeyOf(session: string, chatId: string): string {
  return `${session}#${chatId}`;
}

/** @throws ValidationError when the message's id is not in the long form or its chat is not a chat */
export function placeOf(session: string, message: WaMessage, seq: number): MessagePlace {
  const key = parseMessageId(message.id);
  if (key === undefined || !isChatId(key.chatId)) {
    throw new ValidationError([{ path: 'message.id', message: 'must be {fromMe}_{chatId}_{id}' }]);
  }
  const { chatId, id } = key;
  return { id, chatId, chatKey: chatKeyOf(session, chatId), position: positionOf(message.timestamp, seq, id) };
}

/** Acks from weak to strong. A failure outdoes PENDING only: a later receipt proves that the message did arrive. */
const ACK_ORDER: readonly Ack[] = [ACKS.PENDING, ACKS.ERROR, ACKS.SERVER, ACKS.DEVICE, ACKS.READ, ACKS.PLAYED];

export function isAck(value: number): value is Ack {
  return (ACK_ORDER as readonly number[]).includes(value);
}

/** The acks that `ack` outdoes. */
export function weakerAcks(ack: Ack): readonly Ack[] {
  return ACK_ORDER.slice(0, ACK_ORDER.indexOf(ack));
}

function strongerAck(a: number, b: number | undefined): number {
  return b !== undefined && isAck(b) && (!isAck(a) || weakerAcks(b).includes(a)) ? b : a;
}

/** True when `next` replaces `known`: the later one, and of two at the same time always the same one. */
export function outdates(
  next: { readonly at: number; readonly text: string },
  known: { readonly at: number; readonly text: string } | undefined,
): boolean {
  return known === undefined || next.at > known.at || (next.at === known.at && next.text > known.text);
}

/** The row as readers see it; undefined while the message itself is unknown. */
export function composeMessageRow(facts: MessageFacts): MessageRow | undefined {
  if (facts.placed === undefined) return undefined;
  const { message, chatId, chatKey, position } = facts.placed;
  const ack = strongerAck(message.ack, facts.ack);
  const reactions = [...facts.reactions].filter(([, { text }]) => text !== '').map(([who, { text }]) => [who, text]);
  return messageRowSchema.parse({
    session: facts.session,
    id: facts.id,
    chatId,
    chatKey,
    position,
    message: {
      ...edited(message, facts.edit),
      ...(facts.media && { media: facts.media.media }),
      ack,
      ackName: isAck(ack) ? ackName(ack) : message.ackName,
    },
    ack,
    reactions: Object.fromEntries(reactions),
    ...(facts.edit !== undefined && { editedAt: facts.edit.at }),
    ...(facts.revokedAt !== undefined && { revokedAt: facts.revokedAt }),
  });
}

function edited(message: WaMessage, edit: EditFact | undefined): WaMessage {
  if (edit === undefined) return message;
  const { body, content } = edit;
  return { ...message, body, ...(content !== undefined && { _data: { ...message._data, content } }) };
}

export function matches(row: MessageRow, query: MessageQuery): boolean {
  if (query.fromMe !== undefined && row.message.fromMe !== query.fromMe) return false;
  return query.ack === undefined || row.ack === query.ack;
}
