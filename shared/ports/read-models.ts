import type { WaMedia, WaMessage } from '../contracts/message.ts';
import type { ChatRow, MessageRow } from '../contracts/rows.ts';
import type { MessageAuthor, SaidOfAuthor } from '../domain/message-author.ts';

export interface MessageQuery {
  /** Undefined: all chats. */
  readonly chatId?: string;
  readonly limit: number;
  readonly offset: number;
  readonly sortOrder: 'asc' | 'desc';
  /** Seconds, inclusive. */
  readonly timestampFrom?: number;
  readonly timestampTo?: number;
  readonly fromMe?: boolean;
  readonly ack?: number;
}

/** A message's text, and its protobuf in base64. */
export interface MessageText {
  readonly body: string;
  readonly content?: string | undefined;
}

/**
 * Messages as the projector has seen them. Writes are idempotent and may come in any order. `id` is a bare id, which its sender has chosen:
 * several messages may have it, and `by` tells for which of them a write counts. What is too long for a row is cut, and
 * `_data.omitted` says so, as it does of an edit that came without content.
 */
export interface MessageStore {
  /**
   * Adds the message; what is already known of it (ack, edit, revocation) stays.
   * @param seq number of the event, which orders messages of the same second
   * @throws ValidationError when the message's id is not in the long form
   */
  add(session: string, message: WaMessage, seq: number): Promise<void>;
  /** Raises the ack; never lowers it. */
  raiseAck(session: string, id: string, ack: number): Promise<void>;
  /**
   * Counts in the same chat.
   * @param sender how readers know who it is
   * @param timestamp milliseconds; an older reaction of a sender does not overwrite a newer one
   */
  react(session: string, id: string, by: MessageAuthor, sender: string, text: string, timestamp: number): Promise<void>;
  /** Counts by the message's author. @param timestamp milliseconds; an older edit does not overwrite a newer one */
  edit(session: string, id: string, by: MessageAuthor, text: MessageText, timestamp: number): Promise<void>;
  /** Counts by the message's author, and in a group by everybody. @param timestamp milliseconds; the first counts */
  revoke(session: string, id: string, by: MessageAuthor, timestamp: number): Promise<void>;
  /** The media in place of what the author's message came with. @param timestamp milliseconds; the newest counts */
  setMedia(session: string, id: string, by: MessageAuthor, media: WaMedia, timestamp: number): Promise<void>;
  /** Only rows whose message is known. @param author of several messages with the id, the first that this is true of */
  get(session: string, id: string, author?: SaidOfAuthor): Promise<MessageRow | undefined>;
  query(session: string, query: MessageQuery): Promise<readonly MessageRow[]>;
  /** Removes all rows of a session. */
  clear(session: string): Promise<void>;
}

export interface ChatQuery {
  readonly ids?: readonly string[];
  readonly limit: number;
  readonly offset: number;
  readonly sortBy: 'timestamp' | 'id' | 'name';
  readonly sortOrder: 'asc' | 'desc';
}

export interface ChatStore {
  /** Moves the chat to this message unless a later one is known; sets the name when given. */
  touch(
    session: string,
    chatId: string,
    message: { readonly id: string; readonly timestamp: number; readonly seq: number },
    name?: string,
  ): Promise<void>;
  query(session: string, query: ChatQuery): Promise<readonly ChatRow[]>;
  clear(session: string): Promise<void>;
}
