import { proto } from '@whiskeysockets/baileys';
import { nowSeconds, pnJid } from './accounts.ts';
import type { MediaRequest, sendSchema } from './admin-requests.ts';
import { calendarEventContent, type EventResponse, sealEventResponse } from './calendar-events.ts';
import { memberJid } from './group-nodes.ts';
import type { Received } from './inbox.ts';
import { storeMedia } from './media.ts';
import { encryptMedia, type MediaKind } from './media-cipher.ts';
import { unwrap } from './message-content.ts';
import { NotFound } from './not-found.ts';
import type { Phone } from './phone.ts';
import type { Sending } from './phone-sending.ts';
import { pollContent, sealVote } from './polls.ts';
import { formatJid, type Jid, jid } from './wire/jid.ts';

type Content = Omit<Sending, 'chat'>;
type Request = ReturnType<typeof sendSchema.parse>;

const { Type } = proto.Message.ProtocolMessage;

/** Which keys a kind of media is encrypted with. */
const MEDIA_KEYS: Readonly<Record<MediaRequest['kind'], MediaKind>> = {
  image: 'Image',
  sticker: 'Image',
  video: 'Video',
  audio: 'Audio',
  voice: 'Audio',
  document: 'Document',
};

/** Builds the message a request asks for. @throws NotFound when it refers to a message the phone does not know. */
export async function contentOf(phone: Phone, chat: Jid, request: Request): Promise<Content> {
  const { reaction, edit, revoke, image, media, location, poll, vote, event, eventResponse, raw } = request;
  if (reaction) return reactionContent(phone, chat, reaction);
  if (edit) return editContent(chat, edit);
  if (revoke) return { edit: '7', message: { protocolMessage: { type: Type.REVOKE, key: ownKey(chat, revoke) } } };
  if (image) return mediaContent(phone, { kind: 'image', ...image });
  if (media) return mediaContent(phone, media);
  if (location) {
    const { latitude, longitude, name } = location;
    const place = { degreesLatitude: latitude, degreesLongitude: longitude, ...(name === undefined ? {} : { name }) };
    return { type: 'media', message: { locationMessage: place } };
  }
  if (poll) return pollContent(poll);
  if (vote) return voteContent(phone, chat, vote);
  if (event) return calendarEventContent(event);
  if (eventResponse) return eventResponseContent(phone, chat, eventResponse);
  if (raw) return { message: proto.Message.fromObject(raw) };
  return textContent(phone, request);
}

function textContent(phone: Phone, { text = '', quoted, mentions }: Request): Content {
  if (quoted === undefined && !mentions) return { message: { conversation: text } };
  const contextInfo = {
    ...(quoted === undefined ? {} : quote(phone, quoted)),
    ...(mentions ? { mentionedJid: mentions } : {}),
  };
  return { message: { extendedTextMessage: { text, contextInfo } } };
}

function reactionContent(phone: Phone, chat: Jid, { id, text }: { id: string; text: string }): Content {
  const key = keyFor(phone, chat, id);
  return { type: 'reaction', message: { reactionMessage: { key, text, senderTimestampMs: Date.now() } } };
}

function voteContent(phone: Phone, chat: Jid, { id, options }: { id: string; options: readonly string[] }): Content {
  const { message, names } = answered(phone, chat, id);
  const pollUpdateMessage = {
    pollCreationMessageKey: keyFor(phone, chat, id),
    vote: sealVote(message, names, options),
    senderTimestampMs: Date.now(),
  };
  return { type: 'poll', message: { pollUpdateMessage } };
}

function eventResponseContent(phone: Phone, chat: Jid, { id, ...response }: EventResponse & { id: string }): Content {
  const { message, names } = answered(phone, chat, id);
  const eventCreationMessageKey = keyFor(phone, chat, id);
  const encEventResponseMessage = { eventCreationMessageKey, ...sealEventResponse(message, names, response) };
  return { type: 'event', message: { encEventResponseMessage } };
}

/** A message that takes answers, and what those of this phone are bound to. */
function answered(phone: Phone, chat: Jid, id: string) {
  const own = phone.sent.get(id)?.message;
  const received = own ? undefined : requireReceived(phone, id);
  const author = received?.author ?? addressIn(phone, chat);
  const names = { id, creator: formatJid(bare(author)), answerer: formatJid(addressIn(phone, chat)) };
  return { message: own ?? received?.message ?? {}, names };
}

/** The phone's own address as a chat has it. */
function addressIn({ account, server }: Phone, chat: Jid): Jid {
  const group = chat.server === 'g.us' ? server.groups.find(chat.user) : undefined;
  if (group) return memberJid(group, account, 0);
  return chat.server === 'lid' ? jid(account.lid, 'lid') : pnJid(account);
}

const bare = ({ user, server }: Jid): Jid => ({ user, server });

function editContent(chat: Jid, { id, text }: { id: string; text: string }): Content {
  const change = { key: ownKey(chat, id), editedMessage: { conversation: text }, timestampMs: Date.now() };
  return { edit: '1', message: { protocolMessage: { type: Type.MESSAGE_EDIT, ...change } } };
}

async function mediaContent(phone: Phone, { kind, data, mimetype, caption, fileName }: MediaRequest): Promise<Content> {
  const plaintext = Buffer.from(data, 'base64');
  const { body, ...keys } = encryptMedia(MEDIA_KEYS[kind], plaintext);
  const place = await storeMedia(phone.server, body);
  const file = { mimetype, fileLength: plaintext.length, mediaKeyTimestamp: nowSeconds(), ...keys, ...place };
  const words = caption === undefined ? {} : { caption };
  return { type: 'media', message: mediaMessage(kind, file, words, fileName) };
}

function mediaMessage(
  kind: MediaRequest['kind'],
  file: proto.Message.IImageMessage & proto.Message.IAudioMessage,
  words: { caption?: string },
  fileName: string | undefined,
): proto.IMessage {
  switch (kind) {
    case 'image':
      return { imageMessage: { ...file, ...words } };
    case 'video':
      return { videoMessage: { ...file, ...words } };
    case 'audio':
    case 'voice':
      return { audioMessage: { ...file, ptt: kind === 'voice' } };
    case 'sticker':
      return { stickerMessage: file };
    case 'document':
      return { documentMessage: { ...file, ...words, fileName: fileName ?? 'file' } };
  }
}

function quote(phone: Phone, id: string): proto.IContextInfo {
  const { message, entry } = requireReceived(phone, id);
  return { stanzaId: id, participant: entry.from, quotedMessage: unwrap(message) };
}

/** The key of a message of somebody else or of one's own, as this phone sees it. */
function keyFor(phone: Phone, chat: Jid, id: string): proto.IMessageKey {
  if (phone.sent.has(id)) return ownKey(chat, id);
  const { author } = requireReceived(phone, id);
  const inGroup = chat.server === 'g.us';
  const participant = inGroup ? { participant: formatJid({ user: author.user, server: author.server }) } : {};
  return { remoteJid: formatJid(chat), fromMe: false, id, ...participant };
}

const ownKey = (chat: Jid, id: string): proto.IMessageKey => ({ remoteJid: formatJid(chat), fromMe: true, id });

function requireReceived(phone: Phone, id: string): Received {
  const found = phone.inbox.since(0).find(({ entry }) => entry.id === id);
  if (!found) throw new NotFound(`the inbox has no message ${id}`);
  return found;
}
