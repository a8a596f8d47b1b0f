import { isGroup } from './chat-id.ts';
import { formatMessageId, type MessageKey, parseMessageId } from './message-id.ts';

/**
 * Who has written a message, or something about one, and in which chat. The network proves both; which message it is about
 * is only said, so an id that is known to somebody gives no right to the message.
 */
export interface MessageAuthor extends Pick<MessageKey, 'fromMe' | 'chatId' | 'participant'> {
  /** LID of the participant or, where two write to each other, of the chat; where it is known. */
  readonly lid?: string;
}

/** @param message as events have it; undefined when its id is not in the long form */
export function authorOf(message: {
  readonly id: string;
  readonly _data?: Readonly<Record<string, unknown>> | undefined;
}): MessageAuthor | undefined {
  const key = parseMessageId(message.id);
  const lid = message._data?.lid;
  return key && authorFrom(key, typeof lid === 'string' ? lid : undefined);
}

/** An author as text, without what `lid` adds. */
export function authorKey(author: MessageAuthor): string {
  return formatMessageId({ ...author, id: NO_ID });
}

/** @returns undefined when the text is no author's */
export function authorIn(key: string, lid: string | undefined): MessageAuthor | undefined {
  const parsed = parseMessageId(key);
  return parsed?.id === NO_ID ? authorFrom(parsed, lid) : undefined;
}

const NO_ID = '-';

function authorFrom({ id: _, ...author }: MessageKey, lid: string | undefined): MessageAuthor {
  return { ...author, ...(lid !== undefined && { lid }) };
}

/** Whether it is one chat, by either of its addresses. */
export function isSameChat(one: MessageAuthor, other: MessageAuthor): boolean {
  return meet(chatNames(one), chatNames(other));
}

/** Whether it is one person in one chat, by either address. */
export function isSameAuthor(one: MessageAuthor, other: MessageAuthor): boolean {
  if (one.fromMe !== other.fromMe || !isSameChat(one, other)) return false;
  return one.fromMe || isOfTwo(one) || meet(participantNames(one), participantNames(other));
}

/** Whether `somebody` may delete a message for everybody: its author may and, in a group, an admin. Who is one is not known here. */
export function mayRevoke(somebody: MessageAuthor, author: MessageAuthor): boolean {
  return isGroup(author.chatId) ? isSameChat(somebody, author) : isSameAuthor(somebody, author);
}

function isOfTwo({ chatId }: MessageAuthor): boolean {
  return chatId.endsWith('@c.us') || chatId.endsWith('@lid');
}

/** What is said of who has written the message that is meant; a participant is only said of others. */
export interface SaidOfAuthor {
  readonly chatId?: string | undefined;
  readonly fromMe?: boolean | undefined;
  readonly participant?: string | undefined;
}

/** Whether all that is said is true of this author, by either address. */
export function isMeant(author: MessageAuthor, { chatId, fromMe, participant }: SaidOfAuthor): boolean {
  if (chatId !== undefined && !chatNames(author).includes(chatId)) return false;
  if (fromMe !== undefined && fromMe !== author.fromMe) return false;
  return (
    author.fromMe || participant === undefined || isOfTwo(author) || participantNames(author).includes(participant)
  );
}

/**
 * The message that is meant, among all that have its id. Somebody's number may have been learned after the message came, which is
 * known by LID alone then: where nobody else can be meant, it is taken for his.
 */
export function findMeant<T extends { readonly author: MessageAuthor }>(
  messages: readonly T[],
  said: SaidOfAuthor,
): T | undefined {
  const { participant, ...rest } = said;
  const meant = messages.find(({ author }) => isMeant(author, said));
  if (meant !== undefined || participant === undefined) return meant;
  const inPlace = messages.filter(({ author }) => isMeant(author, rest));
  const possible = inPlace.filter(({ author }) =>
    participantNames(author).every((name) => name === undefined || serverOf(name) !== serverOf(participant)),
  );
  return inPlace.length === 1 ? possible[0] : undefined;
}

function serverOf(chatId: string): string {
  return chatId.slice(chatId.indexOf('@'));
}

function chatNames(author: MessageAuthor): readonly (string | undefined)[] {
  return isOfTwo(author) ? [author.chatId, author.lid] : [author.chatId];
}

/** A channel writes as itself. Elsewhere whoever is not named is nobody in particular, and the same as nobody. */
function participantNames({ chatId, participant, lid }: MessageAuthor): readonly (string | undefined)[] {
  const isChannel = chatId.endsWith('@newsletter') && participant === undefined && lid === undefined;
  return isChannel ? [chatId] : [participant, lid];
}

function meet(some: readonly (string | undefined)[], others: readonly (string | undefined)[]): boolean {
  return some.some((name) => name !== undefined && others.includes(name));
}
