declare const brand: unique symbol;

/**
 * A chat as clients name it (WAHA's form): `4915…@c.us` a phone number, `…@lid` a hidden id, `…@g.us` a group,
 * `…@newsletter` a channel, `status@broadcast`, `…@broadcast`, and `0@c.us` WhatsApp itself.
 */
export type ChatId = string & { readonly [brand]: 'ChatId' };

const CHAT_ID =
  /^(?:\d{5,20}@c\.us|0@c\.us|\d{5,24}@lid|\d{5,24}(?:-\d{5,16})?@g\.us|\d{5,24}@newsletter|[\d]{1,24}@broadcast|status@broadcast)$/;

export const CHAT_ID_RULE =
  'a phone number in international form, or an id ending in @c.us, @lid, @g.us, @newsletter or @broadcast';

/**
 * Reads what clients send as a chat: a chat id, a wire JID (`@s.whatsapp.net`, with or without a device) or a bare
 * phone number (`+49 151 …`, punctuation allowed). Returns undefined when it is none of these.
 */
export function parseChatId(text: string): ChatId | undefined {
  const trimmed = text.trim();
  const at = trimmed.lastIndexOf('@');
  if (at < 0) {
    const digits = trimmed.replace(/^\+/, '').replace(/[\s().-]/g, '');
    return /^\d{5,20}$/.test(digits) ? (`${digits}@c.us` as ChatId) : undefined;
  }
  const user = trimmed.slice(0, at).replace(/[:_]\d+$/, '');
  const server = trimmed.slice(at + 1);
  const candidate = `${user}@${server === 's.whatsapp.net' ? 'c.us' : server}`;
  return CHAT_ID.test(candidate) ? (candidate as ChatId) : undefined;
}

export function isChatId(text: string): text is ChatId {
  return CHAT_ID.test(text);
}

/** The JID that goes on the wire for a chat: `@c.us` becomes `@s.whatsapp.net`, everything else stays. */
export function chatIdToJid(chat: ChatId): string {
  return chat.endsWith('@c.us') ? `${chat.slice(0, -'@c.us'.length)}@s.whatsapp.net` : chat;
}

/** The chat in which WhatsApp itself writes to its users. */
export const WHATSAPP = '0@c.us';

/** False where nobody reads what is sent. */
export function takesMessages(chat: ChatId): boolean {
  return chat !== WHATSAPP;
}

export function isGroup(chat: ChatId): boolean {
  return chat.endsWith('@g.us');
}
