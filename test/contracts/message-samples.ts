import type { WaMessage } from '#shared/contracts/message.ts';
import { authorOf, type MessageAuthor } from '#shared/domain/message-author.ts';
import { parseMessageId } from '#shared/domain/message-id.ts';
import type { MessageQuery } from '#shared/ports/read-models.ts';
import { waMessage } from './rows.ts';

export const CHAT = '4915100000001@c.us';
export const OTHER = '4915100000002@c.us';
export const SENDER = '4915100000003@c.us';
export const GROUP = '120363000000000001@g.us';
export const LID = '77777777777@lid';

interface AuthorFields {
  readonly participant?: string;
  readonly fromMe?: boolean;
  readonly lid?: string;
}

/** Who writes in a chat; in a group, `participant`. */
export function author(chatId: string, { participant, ...fields }: AuthorFields = {}): MessageAuthor {
  const found = authorOf(waMessage({ id: 'X', chatId, ...(participant !== undefined && { participant }) }));
  if (found === undefined) throw new Error(`${chatId} is no chat`);
  return { ...found, ...fields };
}

export const THEM = author(CHAT);
export const ME = author(CHAT, { fromMe: true });

export function bareIdOf({ id }: WaMessage): string {
  return parseMessageId(id)?.id ?? '';
}

export const page = (query: Partial<MessageQuery> = {}): MessageQuery => ({
  limit: 100,
  offset: 0,
  sortOrder: 'asc',
  ...query,
});

export const media = (error: string | null) => ({ url: null, mimetype: 'image/png', filename: null, s3: null, error });
