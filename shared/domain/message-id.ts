import { createHash } from 'node:crypto';
import { type ChatId, parseChatId } from './chat-id.ts';

/** A message as clients name it: `{true|false}_{chatId}_{ID}[_{participant}]` (WAHA's form). */
export interface MessageKey {
  readonly fromMe: boolean;
  readonly chatId: ChatId;
  /** The id on the wire, e.g. `3EB0…`; unique within a session for all practical purposes. */
  readonly id: string;
  /** Sender, in groups only. */
  readonly participant?: ChatId;
}

/**
 * The id that a job's message carries on the wire, decided before the first try and never changed:
 * `3EB0` + 18 upper-case hex digits of SHA-256(`v1` ‖ session ‖ job id), parts separated by a zero byte (rule R4).
 */
export function messageIdForJob(session: string, jobId: string): string {
  const digest = createHash('sha256').update(`v1\0${session}\0${jobId}`).digest('hex');
  return `3EB0${digest.slice(0, 18).toUpperCase()}`;
}

export function formatMessageId(key: MessageKey): string {
  const participant = key.participant === undefined ? '' : `_${key.participant}`;
  return `${key.fromMe}_${key.chatId}_${key.id}${participant}`;
}

/** Reads the long form; returns undefined for anything else (a bare id included). */
export function parseMessageId(text: string): MessageKey | undefined {
  const parts = text.split('_');
  const [fromMe, chat, id, participantText] = parts;
  if (parts.length < 3 || parts.length > 4 || (fromMe !== 'true' && fromMe !== 'false') || !chat || !id)
    return undefined;
  const chatId = parseChatId(chat);
  if (chatId === undefined || !isBareMessageId(id)) return undefined;
  if (participantText === undefined) return { fromMe: fromMe === 'true', chatId, id };
  const participant = parseChatId(participantText);
  return participant === undefined ? undefined : { fromMe: fromMe === 'true', chatId, id, participant };
}

/** The id inside a long form, or the text itself when it is already bare. */
export function bareMessageId(text: string): string | undefined {
  const key = parseMessageId(text);
  if (key !== undefined) return key.id;
  return isBareMessageId(text) ? text : undefined;
}

export function isBareMessageId(text: string): boolean {
  return /^[A-Za-z0-9.-]{6,128}$/.test(text);
}
