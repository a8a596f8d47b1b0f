import { createHash } from 'node:crypto';
import type { MediaSource, SendCommand } from '#shared/contracts/commands.ts';
import type { PacedSend } from '#shared/domain/pacing-policy.ts';

/** Short name for a chat or a content: what pacing remembers tells nobody which it was. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 11);
}

export function isDirectChat(chatId: string): boolean {
  return chatId.endsWith('@c.us') || chatId.endsWith('@lid');
}

/**
 * A command as pacing sees it; undefined for what is no message of its own (reactions, edits, deletions), which is
 * never held back.
 * @param own ids of the account's chat with itself
 */
export function pacedSend(command: SendCommand, own: readonly (string | null)[]): PacedSend | undefined {
  const content = contentOf(command);
  if (content === undefined) return undefined;
  const { chatId } = command;
  return {
    chat: shortHash(chatId),
    kind: own.includes(chatId) ? 'own' : isDirectChat(chatId) ? 'direct' : 'group',
    content: shortHash(JSON.stringify(content)),
    textLength: command.type === 'sendText' ? command.text.length : 0,
  };
}

/** What makes two sends the same to whoever looks for bulk messages; undefined for what is no message. */
function contentOf(command: SendCommand): readonly unknown[] | undefined {
  switch (command.type) {
    case 'sendText':
      return ['text', normalised(command.text)];
    case 'sendImage':
    case 'sendFile':
    case 'sendVideo':
      return ['media', mediaName(command.media), normalised(command.caption ?? '')];
    case 'sendVoice':
      return ['media', mediaName(command.media)];
    case 'sendLocation':
      return ['location', command.latitude, command.longitude];
    case 'sendContactVcard':
      return ['contact', command.contacts];
    case 'sendPoll':
      return ['poll', normalised(command.name), command.options];
    case 'forwardMessage':
      return ['forward', command.message.id];
    case 'sendReaction':
    case 'editMessage':
    case 'deleteMessage':
      return undefined;
  }
}

function normalised(text: string): string {
  return text.toLowerCase().replace(/\s+/g, ' ').trim();
}

/** Uploaded media has a new key each time, so only its file name can tell. */
function mediaName(media: MediaSource): string {
  return media.kind === 'url' ? media.url : `${media.mimetype}\0${media.filename ?? ''}`;
}
