import { jidNormalizedUser, type WAMessageKey } from '@whiskeysockets/baileys';
import { type ChatId, isGroup, parseChatId } from '#shared/domain/chat-id.ts';
import type { MessageKey } from '#shared/domain/message-id.ts';

/** A JID of the wire as clients name it; undefined for what is no chat of anybody. */
export function jidToChatId(jid: string | null | undefined): ChatId | undefined {
  if (!jid) return undefined;
  return parseChatId(jidNormalizedUser(jid) || jid);
}

/** Looks up the same account's other address, as a JID: the phone number behind a LID, or the LID of a phone number. */
export type LookUpOther = (jid: string) => Promise<string | null | undefined>;

/** An address in both forms where both are known; `id` is the phone number's if it is. */
export interface Address {
  readonly id: ChatId;
  readonly lid: ChatId | undefined;
}

/** @param alternative the same account's other address, where the stanza named it */
export async function resolveAddress(
  jid: string | null | undefined,
  alternative: string | null | undefined,
  lookUp: LookUpOther,
): Promise<Address | undefined> {
  const id = jidToChatId(jid);
  if (!jid || !id) return undefined;
  const other = jidToChatId(alternative);
  if (!id.endsWith('@lid')) {
    const isPhone = id.endsWith('@c.us');
    const lid = !isPhone || other?.endsWith('@lid') ? other : jidToChatId(await lookUp(jidNormalizedUser(jid)));
    return { id, lid: lid?.endsWith('@lid') ? lid : undefined };
  }
  const phone = other?.endsWith('@c.us') ? other : jidToChatId(await lookUp(jidNormalizedUser(jid)));
  return { id: phone ?? id, lid: id };
}

/** A message's place, in clients' terms. */
export interface AddressedMessage {
  readonly key: MessageKey;
  readonly chat: Address;
  readonly participant: Address | undefined;
}

/** @param me the account's own chat id, which is the participant of its own messages in groups */
export async function resolveMessage(
  key: WAMessageKey,
  me: ChatId | undefined,
  lookUp: LookUpOther,
): Promise<AddressedMessage | undefined> {
  if (!key.id) return undefined;
  const chat = await resolveAddress(key.remoteJid, key.remoteJidAlt, lookUp);
  if (!chat) return undefined;
  const fromMe = key.fromMe === true;
  const shared = isGroup(chat.id) || chat.id.endsWith('@broadcast');
  const sender = shared ? await resolveAddress(key.participant, key.participantAlt, lookUp) : undefined;
  const participant = shared && fromMe && me ? { id: me, lid: sender?.lid } : sender;
  const named = participant ? { participant: participant.id } : {};
  return { key: { fromMe, chatId: chat.id, id: key.id, ...named }, chat, participant };
}
