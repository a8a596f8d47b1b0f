import type { WaMedia, WaMessage } from '../contracts/message.ts';
import type { ChatRow, MessageRow } from '../contracts/rows.ts';

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

/** Messages as the projector has seen them. Writes are idempotent and may come in any order. */
export interface MessageStore {
  /** Adds the message; what is already known of it (ack, edit, revocation) stays. */
  /** @param seq number of the event, which orders messages of the same second */
  add(session: string, message: WaMessage, seq: number): Promise<void>;
  /** Raises the ack; never lowers it. */
  raiseAck(session: string, id: string, ack: number): Promise<void>;
  /** @param timestamp milliseconds; an older reaction of a sender does not overwrite a newer one */
  react(session: string, id: string, sender: string, text: string, timestamp: number): Promise<void>;
  /** @param timestamp milliseconds; an older edit does not overwrite a newer one */
  edit(session: string, id: string, body: string, content: string | undefined, timestamp: number): Promise<void>;
  revoke(session: string, id: string, timestamp: number): Promise<void>;
  /** The media in place of what the message came with. @param timestamp milliseconds; the newest counts */
  setMedia(session: string, id: string, media: WaMedia, timestamp: number): Promise<void>;
  /** Only rows whose message is known. */
  get(session: string, id: string): Promise<MessageRow | undefined>;
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
