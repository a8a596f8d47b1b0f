import { proto } from '@whiskeysockets/baileys';
import { pnJid } from './accounts.ts';
import {
  type ReadRequest,
  readSchema,
  type SendRequest,
  sendSchema,
  type TypingRequest,
  typingSchema,
} from './admin-requests.ts';
import { type as showTyping } from './contact-script.ts';
import type { Received } from './inbox.ts';
import { storeMedia } from './media.ts';
import { encryptMedia } from './media-cipher.ts';
import { unwrap } from './message-content.ts';
import type { Phone } from './phone.ts';
import { sendReceipt } from './phone-receipts.ts';
import type { Sending } from './phone-sending.ts';
import { formatJid, type Jid, jid, parseJid } from './wire/jid.ts';

const { Type } = proto.Message.ProtocolMessage;

/** A phone number, a user JID or a group JID as the admin API takes it. */
function chatOf(text: string): Jid {
  return text.includes('@') ? parseJid(text) : jid(text.replace(/\D/g, ''), 's.whatsapp.net');
}

/** Builds and sends what the request asks for; answers with the message's id. */
export async function sendCommand(phone: Phone, input: SendRequest): Promise<{ id: string }> {
  const request = sendSchema.parse(input);
  const chat = chatOf(request.to);
  return { id: await phone.send({ chat, ...(await contentOf(phone, chat, request)) }) };
}

async function contentOf(
  phone: Phone,
  chat: Jid,
  request: ReturnType<typeof sendSchema.parse>,
): Promise<Omit<Sending, 'chat'>> {
  const { text, image, location, reaction, edit, revoke, quoted, mentions } = request;
  if (reaction) {
    const key = keyFor(phone, chat, reaction.id);
    return {
      type: 'reaction',
      message: { reactionMessage: { key, text: reaction.text, senderTimestampMs: Date.now() } },
    };
  }
  if (edit) {
    const editedMessage = { conversation: edit.text };
    const key = ownKey(chat, edit.id);
    return {
      edit: '1',
      message: { protocolMessage: { type: Type.MESSAGE_EDIT, key, editedMessage, timestampMs: Date.now() } },
    };
  }
  if (revoke) {
    return { edit: '7', message: { protocolMessage: { type: Type.REVOKE, key: ownKey(chat, revoke) } } };
  }
  if (image) {
    const plaintext = Buffer.from(image.data, 'base64');
    const { body, ...keys } = encryptMedia('Image', plaintext);
    const place = await storeMedia(phone.server, body);
    const caption = image.caption === undefined ? {} : { caption: image.caption };
    const file = { mimetype: image.mimetype, fileLength: plaintext.length, ...keys, ...place, ...caption };
    return { type: 'media', message: { imageMessage: { ...file, mediaKeyTimestamp: Math.floor(Date.now() / 1000) } } };
  }
  if (location) {
    const place = { degreesLatitude: location.latitude, degreesLongitude: location.longitude };
    const name = location.name === undefined ? {} : { name: location.name };
    return { type: 'media', message: { locationMessage: { ...place, ...name } } };
  }
  if (quoted === undefined && !mentions) return { message: { conversation: text ?? '' } };
  const contextInfo = {
    ...(quoted === undefined ? {} : quote(phone, quoted)),
    ...(mentions ? { mentionedJid: mentions } : {}),
  };
  return { message: { extendedTextMessage: { text: text ?? '', contextInfo } } };
}

function quote(phone: Phone, id: string): proto.IContextInfo {
  const { message, entry } = requireReceived(phone, id);
  return { stanzaId: id, participant: entry.from, quotedMessage: unwrap(message) };
}

/** The key of a message of somebody else or of one's own, as this phone sees it. */
function keyFor(phone: Phone, chat: Jid, id: string): proto.IMessageKey {
  if (phone.sent.has(id)) return ownKey(chat, id);
  const { author } = requireReceived(phone, id);
  const participant =
    chat.server === 'g.us' ? { participant: formatJid({ user: author.user, server: author.server }) } : {};
  return { remoteJid: formatJid(chat), fromMe: false, id, ...participant };
}

const ownKey = (chat: Jid, id: string): proto.IMessageKey => ({ remoteJid: formatJid(chat), fromMe: true, id });

function requireReceived(phone: Phone, id: string): Received {
  const found = phone.inbox.since(0).find(({ entry }) => entry.id === id);
  if (!found) throw new Error(`the inbox has no message ${id}`);
  return found;
}

/** Shows the phone typing in a chat. */
export function typingCommand(phone: Phone, input: TypingRequest): void {
  const { to, state } = typingSchema.parse(input);
  showTyping(phone, chatOf(to), state);
}

/** Sends read or played receipts for messages of a chat, one receipt per author. */
export function readCommand(phone: Phone, input: ReadRequest): void {
  const { to, ids, type } = readSchema.parse(input);
  const chat = chatOf(to);
  const account = phone.server.accounts.find(chat);
  const names = new Set([formatJid(chat), ...(account ? [formatJid(pnJid(account)), `${account.lid}@lid`] : [])]);
  const wanted = phone.inbox
    .since(0)
    .filter(({ entry }) => !entry.fromMe && names.has(entry.chat) && (ids === undefined || ids.includes(entry.id)));
  const byAuthor = new Map<string, { received: Received; ids: string[] }>();
  for (const received of wanted) {
    const author = formatJid(received.author);
    const group = byAuthor.get(author) ?? { received, ids: [] };
    group.ids.push(received.entry.id);
    byAuthor.set(author, group);
  }
  for (const { received, ids: read } of byAuthor.values()) {
    sendReceipt(phone, received.chat, received.author, read, type);
  }
}
