import { proto, type WAMessage, type WAMessageKey } from '@whiskeysockets/baileys';
import type { MessageReference } from '#shared/contracts/commands.ts';
import { type ChatId, chatIdToJid, isGroup, parseChatId } from '#shared/domain/chat-id.ts';
import type { EngineContext } from '../../engine.ts';

/** The key of a message that a command refers to, as it is named on the wire. */
export function keyOf(reference: MessageReference, meJid: string): WAMessageKey {
  const chat = chatOf(reference.chatId);
  const participant = reference.participant ? chatIdToJid(chatOf(reference.participant)) : undefined;
  const author = participant ?? (isGroup(chat) && reference.fromMe ? meJid : undefined);
  return {
    remoteJid: chatIdToJid(chat),
    id: reference.id,
    fromMe: reference.fromMe,
    ...(author ? { participant: author } : {}),
  };
}

/** The message a command refers to, with its content where the command or the sent jobs know it. */
export async function messageOf(
  reference: MessageReference,
  meJid: string,
  context: Pick<EngineContext, 'contentOf'>,
): Promise<WAMessage & { readonly known: boolean }> {
  const { id, content } = reference;
  const bytes = content ? Buffer.from(content, 'base64') : await context.contentOf(id, reference);
  const message = bytes ? proto.Message.decode(bytes) : { conversation: '' };
  return { key: keyOf(reference, meJid), message, known: bytes !== undefined };
}

/** Chat ids in commands are checked where the job is made. */
export function chatOf(text: string): ChatId {
  const chat = parseChatId(text);
  if (!chat) throw new Error('a command that was checked on entry names no chat');
  return chat;
}
