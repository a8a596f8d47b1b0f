import type { NamedMessage } from '#shared/contracts/api/fields.ts';
import type { MessageReference } from '#shared/contracts/commands.ts';
import type { MessageRow } from '#shared/contracts/rows.ts';
import { type ChatId, isChatId, parseChatId } from '#shared/domain/chat-id.ts';
import { NotFoundError } from '#shared/domain/errors.ts';
import type { SaidOfAuthor } from '#shared/domain/message-author.ts';
import type { ApiDeps } from '../deps.ts';

/** Longest protobuf, in base64, that is taken along where it only decorates (a quote). */
const LONGEST_QUOTE = 32_768;

/**
 * What the read model and the id itself tell about a message that a client refers to.
 *
 * @param chat where it is, if neither tells
 * @returns undefined when it is not known which chat it is in
 */
export async function findReference(
  deps: Pick<ApiDeps, 'messages'>,
  session: string,
  named: NamedMessage,
  chat?: ChatId,
): Promise<MessageReference | undefined> {
  const { id, key } = named;
  if (key !== undefined) return (await told(deps, session, id, key)) ?? key;
  const inChat = chat === undefined ? undefined : await told(deps, session, id, { chatId: chat });
  const anywhere = inChat ?? (await told(deps, session, id, {}));
  return anywhere ?? (chat === undefined ? undefined : { chatId: chat, id, fromMe: false });
}

async function told(
  { messages }: Pick<ApiDeps, 'messages'>,
  session: string,
  id: string,
  author: SaidOfAuthor,
): Promise<MessageReference | undefined> {
  const row = await messages.get(session, id, author);
  return row && referenceTo(row);
}

/** Quoted message of a reply. One that nobody knows is quoted without its content. */
export async function findQuoted(
  deps: Pick<ApiDeps, 'messages'>,
  session: string,
  named: NamedMessage | null | undefined,
  chat: ChatId,
): Promise<{ quoted?: MessageReference }> {
  if (!named) return {};
  const quoted = await findReference(deps, session, named, chat);
  if (quoted === undefined) return {};
  if ((quoted.content?.length ?? 0) <= LONGEST_QUOTE) return { quoted };
  const { content: _tooLong, ...rest } = quoted;
  return { quoted: rest };
}

/** A message to be edited or deleted. One that nobody knows is taken for the session's own unless its id says no. */
export async function findOwnReference(
  deps: Pick<ApiDeps, 'messages'>,
  session: string,
  named: NamedMessage,
  chatId: ChatId,
): Promise<MessageReference> {
  const { id, key } = named;
  const own: MessageReference = { chatId, id, fromMe: true };
  const found: MessageReference =
    key === undefined
      ? ((await told(deps, session, id, own)) ?? (await told(deps, session, id, { chatId })) ?? own)
      : ((await told(deps, session, id, key)) ?? key);
  const { content: _notNeeded, ...reference } = found;
  return reference;
}

/** @returns undefined for what is in no chat that can be written to */
export function referenceTo(row: MessageRow): MessageReference | undefined {
  if (!isChatId(row.chatId)) return undefined;
  const participant = row.message.participant === null ? undefined : parseChatId(row.message.participant);
  const content = row.message._data?.content;
  return {
    chatId: row.chatId,
    id: row.id,
    fromMe: row.message.fromMe,
    ...(participant === undefined ? {} : { participant }),
    ...(typeof content === 'string' ? { content } : {}),
  };
}

export function messageNotFound(named: NamedMessage): NotFoundError {
  return new NotFoundError(`Message '${named.id}' is not known to this session`);
}
