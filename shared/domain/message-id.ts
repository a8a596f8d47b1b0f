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

/** Of an id as it is written, so that with all that is put around it a table's key has room for it. */
const LONGEST_WRITTEN = 256;

/**
 * A bare id as it stands in long ids and in keys. On the wire an id is its sender's choice: what none of WhatsApp's apps
 * makes is percent-encoded, so that nothing in it is taken for a part of what stands around it, and a very long one is known by its hash.
 */
export function writtenMessageId(id: string): string {
  // Of half a character nothing can be encoded.
  const encoded = encodeURIComponent(id.toWellFormed()).replaceAll('_', '%5F');
  return encoded.length <= LONGEST_WRITTEN ? encoded : `SHA256-${createHash('sha256').update(id).digest('hex')}`;
}

export function formatMessageId(key: MessageKey): string {
  const participant = key.participant === undefined ? '' : `_${key.participant}`;
  return `${key.fromMe}_${key.chatId}_${writtenMessageId(key.id)}${participant}`;
}

/** Reads the long form, also one whose id somebody has decoded; returns undefined for anything else (a bare id included). */
export function parseMessageId(text: string): MessageKey | undefined {
  const [fromMe, chat = '', ...rest] = text.split('_');
  const chatId = parseChatId(chat);
  if ((fromMe !== 'true' && fromMe !== 'false') || chatId === undefined) return undefined;
  const last = rest.length > 1 ? (rest.at(-1) ?? '') : '';
  const participant = last.includes('@') ? parseChatId(last) : undefined;
  const id = decoded((participant === undefined ? rest : rest.slice(0, -1)).join('_'));
  if (id === '') return undefined;
  return { fromMe: fromMe === 'true', chatId, id, ...(participant !== undefined && { participant }) };
}

function decoded(written: string): string {
  try {
    return decodeURIComponent(written);
  } catch {
    // It was never encoded.
    return written;
  }
}

/** The id inside a long form, or the text itself when it is an ordinary bare one. */
export function bareMessageId(text: string): string | undefined {
  const key = parseMessageId(text);
  if (key !== undefined) return key.id;
  return isBareMessageId(text) ? text : undefined;
}

/** True for ids as apps make them and clients may choose them. */
export function isBareMessageId(text: string): boolean {
  return /^[A-Za-z0-9.-]{6,128}$/.test(text);
}
