/** What is remembered of a chat. Times are milliseconds since 1970. */
export interface ChatPace {
  /** Short hash of the chat's id. */
  readonly chat: string;
  /** It last wrote. */
  readonly heardAt?: number;
  /** It last got a message. */
  readonly sentAt?: number;
  /** Its sends are paid for up to this time: a later one costs no wait. */
  readonly freeAt?: number;
}

/** Sends in a slice of time that begins at `start`; `units` are quarters of a send. */
export interface Slice {
  readonly start: number;
  readonly units: number;
  /** Conversations that were opened. */
  readonly opened: number;
}

export interface ContentSend {
  /** Short hashes. */
  readonly content: string;
  readonly chat: string;
  readonly at: number;
}

/** No messages to strangers for a while. */
export interface Restriction {
  /** WhatsApp has refused one, or too few were delivered. */
  readonly cause: 'refused' | 'undelivered';
  /** How often in a row, without 30 quiet days between. */
  readonly strikes: number;
  readonly at: number;
  readonly until: number;
  /** Everybody has been told that it is over. */
  readonly endTold: boolean;
}

/** All that pacing has to know of a session's past: small, bounded, and the same on the next host. */
export interface PacingState {
  /** When the account was paired. */
  readonly pairedAt: number;
  /** The last send. */
  readonly sentAt: number | null;
  /** 0 … 1: where in its range the gap to the next send lies. Drawn ahead, so that asking again gives the same answer. */
  readonly draw: number;
  /** Of the last hour, and of the last 24 hours; oldest first. */
  readonly lastHour: readonly Slice[];
  readonly lastDay: readonly Slice[];
  /** Of the last hour, oldest first. */
  readonly contents: readonly ContentSend[];
  readonly restriction: Restriction | null;
  /** Until then there are sends in the queue of new conversations, and later ones have to line up behind them. */
  readonly parkedUntil: number;
  readonly chats: ChatTable;
}

/** Chats in slots by their hash; within a slot the most recently used come last. */
export type ChatTable = readonly (readonly ChatPace[])[];

export const CHAT_SLOTS = 32;
export const CHATS_PER_SLOT = 32;

export function freshPacingState(pairedAt: number): PacingState {
  return {
    pairedAt,
    sentAt: null,
    draw: 0,
    lastHour: [],
    lastDay: [],
    contents: [],
    restriction: null,
    parkedUntil: 0,
    chats: Array.from({ length: CHAT_SLOTS }, () => []),
  };
}

export function chatSlot(chat: string): number {
  let sum = 0;
  for (let index = 0; index < chat.length; index += 1) sum = (sum * 31 + chat.charCodeAt(index)) % 65_521;
  return sum % CHAT_SLOTS;
}

export function findChat(chats: ChatTable, chat: string): ChatPace | undefined {
  return chats[chatSlot(chat)]?.find((known) => known.chat === chat);
}

/** Forgets the least recently used chat of a full slot. */
export function withChat(chats: ChatTable, pace: ChatPace): ChatTable {
  const slot = chatSlot(pace.chat);
  const others = (chats[slot] ?? []).filter((known) => known.chat !== pace.chat);
  return chats.with(slot, [...others, pace].slice(-CHATS_PER_SLOT));
}
