import type { WaMedia, WaMessage } from '../contracts/message.ts';
import { type MessageRow, messageRowSchema } from '../contracts/rows.ts';
import { ValidationError } from '../domain/errors.ts';
import { ACKS, type Ack, ackName } from '../domain/message-ack.ts';
import { authorOf, isSameAuthor, isSameChat, type MessageAuthor, mayRevoke } from '../domain/message-author.ts';
import { bareMessageId, writtenMessageId } from '../domain/message-id.ts';
import type { MessageQuery, MessageText } from '../ports/read-models.ts';
import { fittingMedia, fittingMessage } from './fitting-message.ts';

/** Where a message stands in the read model. */
export interface MessagePlace {
  /** Bare message id. */
  readonly id: string;
  readonly chatId: string;
  readonly chatKey: string;
  readonly position: string;
}

/** Something that somebody did to a message, or says to have done. */
export interface Fact {
  readonly by: MessageAuthor;
  /** Milliseconds. */
  readonly at: number;
}

export interface ReactionFact extends Fact {
  readonly text: string;
  /** How readers know who it is from. */
  readonly sender: string;
}

export interface EditFact extends Fact, MessageText {}

export interface MediaFact extends Fact {
  readonly media: WaMedia;
  /** Where it is, or why it is not there: decides between two of the same time. */
  readonly text: string;
}

export function mediaFact(media: WaMedia, by: MessageAuthor, at: number): MediaFact {
  return { by, at, media: fittingMedia(media), text: media.url ?? media.error ?? '' };
}

/**
 * What is known of the messages with an id, each kind of news apart from the others, and that of each author, so that it does not matter
 * in which order they come. The row that readers see is composed from what counts for its message. An id is its sender's
 * choice: several messages may have it, and who is no author of a message has no part in it.
 */
export interface MessageFacts {
  readonly session: string;
  readonly ack?: number | undefined;
  readonly revocations: readonly Fact[];
  readonly media: readonly MediaFact[];
  readonly reactions: readonly ReactionFact[];
}

/** A message where it stands. */
export interface PlacedMessage extends MessagePlace {
  readonly message: WaMessage;
  readonly author: MessageAuthor;
}

/** Sorts by time, then by what came first. @param timestamp seconds @param seq number of the event */
export function positionOf(timestamp: number, seq: number, id: string): string {
  return `${secondsKey(timestamp)}#${String(seq).padStart(15, '0')}#${writtenMessageId(id)}`;
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

/**
 * The message as it is stored, and where.
 * @throws ValidationError when its id is not in the long form
 */
export function placed(session: string, message: WaMessage, seq: number): PlacedMessage {
  const { author, id } = identityOf(message);
  const { chatId } = author;
  const place = { id, chatId, chatKey: chatKeyOf(session, chatId), position: positionOf(message.timestamp, seq, id) };
  return { ...place, message: fittingMessage(message), author };
}

export function identityOf(message: WaMessage): Pick<PlacedMessage, 'id' | 'author'> {
  const [author, id] = [authorOf(message), bareMessageId(message.id)];
  if (author === undefined || id === undefined) {
    throw new ValidationError([{ path: 'message.id', message: 'must be {fromMe}_{chatId}_{id}' }]);
  }
  return { author, id };
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

/** Those by the message's author. */
export function authorsOwn<T extends Fact>(facts: readonly T[], { author }: PlacedMessage): readonly T[] {
  return facts.filter(({ by }) => isSameAuthor(by, author));
}

/** The last of an author's facts, and of two at the same time always the same one. */
export function latestOf<T extends Fact>(facts: readonly T[], textOf: (fact: T) => string): T | undefined {
  let latest: T | undefined;
  for (const fact of facts) {
    const known = latest && { at: latest.at, text: textOf(latest) };
    if (outdates({ at: fact.at, text: textOf(fact) }, known)) latest = fact;
  }
  return latest;
}

/** The row as readers see it. */
export function composeMessageRow(
  facts: MessageFacts,
  placedMessage: PlacedMessage,
  edits: readonly EditFact[],
): MessageRow {
  const { message, author, ...place } = placedMessage;
  const ack = strongerAck(message.ack, facts.ack);
  const edit = latestOf(authorsOwn(edits, placedMessage), ({ body }) => body);
  const media = latestOf(authorsOwn(facts.media, placedMessage), ({ text }) => text)?.media;
  const revocations = facts.revocations.filter(({ by }) => mayRevoke(by, author)).map(({ at }) => at);
  return messageRowSchema.parse({
    ...place,
    session: facts.session,
    message: {
      ...edited(message, edit),
      ...(media && { media }),
      ack,
      ackName: isAck(ack) ? ackName(ack) : message.ackName,
    },
    ack,
    reactions: reactionsIn(facts.reactions.filter(({ by }) => isSameChat(by, author))),
    ...(edit !== undefined && { editedAt: edit.at }),
    ...(revocations.length > 0 && { revokedAt: Math.min(...revocations) }),
  });
}

/** Who reacted once by number and once by LID has two authors and may have one name. */
function reactionsIn(facts: readonly ReactionFact[]): Record<string, string> {
  const latest = [...Map.groupBy(facts, ({ sender }) => sender).values()]
    .flatMap((ofOne) => latestOf(ofOne, ({ text }) => text) ?? [])
    .filter(({ text }) => text !== '');
  return Object.fromEntries(latest.map(({ sender, text }) => [sender, text]));
}

/** Of the content of before nothing stays: whoever forwards or quotes the message means what it says now. */
function edited(message: WaMessage, edit: EditFact | undefined): WaMessage {
  if (edit === undefined) return message;
  const { content: _, ...data } = message._data ?? {};
  const { body, content } = edit;
  return { ...message, body, _data: { ...data, ...(content === undefined ? { omitted: true } : { content }) } };
}

export function matches(row: MessageRow, query: MessageQuery): boolean {
  if (query.fromMe !== undefined && row.message.fromMe !== query.fromMe) return false;
  return query.ack === undefined || row.ack === query.ack;
}
