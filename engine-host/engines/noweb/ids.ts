import { jidNormalizedUser, type WAMessageKey } from '@whiskeysockets/baileys';
import { type ChatId, isGroup, parseChatId } from '#shared/domain/chat-id.ts';
import { formatMessageId, type MessageKey } from '#shared/domain/message-id.ts';

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

/**
 * How events know an address: by what came with it, the phone number first. What has been looked up has no part in it: a
 * number may be learned between two tellings of the same happening, and both must have the same id.
 */
export function givenAddress(
  jid: string | null | undefined,
  alternative?: string | null | undefined,
): ChatId | undefined {
  const id = jidToChatId(jid);
  const other = id?.endsWith('@lid') ? jidToChatId(alternative) : undefined;
  return other?.endsWith('@c.us') ? other : id;
}

/** A message's place, in clients' terms. */
export interface AddressedMessage {
  readonly key: MessageKey;
  readonly chat: Address;
  readonly participant: Address | undefined;
  /** For the keys of its events, see `givenAddress`. In form a long id, and where nothing was looked up the same one. */
  readonly eventKey: string;
}

/** @param me the account's own chat id, which is the participant of its own messages in groups */
export async function resolveMessage(
  key: WAMessageKey,
  me: ChatId | undefined,
  lookUp: LookUpOther,
): Promise<AddressedMessage | undefined> {
  const { id, remoteJid, participant: author } = key;
  const isBroadcast = remoteJid?.endsWith('@broadcast') === true;
  // Baileys takes an author's other address for the list's.
  const chatAlt = isBroadcast ? undefined : key.remoteJidAlt;
  const authorAlt = isBroadcast ? (key.participantAlt ?? key.remoteJidAlt) : key.participantAlt;
  const chat = await resolveAddress(remoteJid, chatAlt, lookUp);
  const givenChat = givenAddress(remoteJid, chatAlt);
  if (!id || !chat || !givenChat) return undefined;
  const fromMe = key.fromMe === true;
  const shared = isGroup(chat.id) || isBroadcast;
  const sender = shared ? await resolveAddress(author, authorAlt, lookUp) : undefined;
  const mine = shared && fromMe ? me : undefined;
  const participant = mine ? { id: mine, lid: sender?.lid } : sender;
  const givenAuthor = mine ?? (shared ? givenAddress(author, authorAlt) : undefined);
  return {
    key: { fromMe, chatId: chat.id, id, ...(participant && { participant: participant.id }) },
    chat,
    participant,
    eventKey: formatMessageId({ fromMe, chatId: givenChat, id, ...(givenAuthor && { participant: givenAuthor }) }),
  };
}
