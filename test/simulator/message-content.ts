import { randomInt } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { loadMedia, mediaToken } from './media.ts';
import { decryptMedia, type MediaKind } from './media-cipher.ts';
import type { Server } from './server.ts';

/** What a decrypted message says, reduced to what tests ask about. */
export interface Described {
  readonly type: string;
  readonly text?: string;
  readonly caption?: string;
  readonly media?: { readonly mimetype: string; readonly sha256: string; readonly bytes: number };
  readonly quotedId?: string;
  readonly mentions?: readonly string[];
  /** The message a reaction, an edit or a revocation is about. */
  readonly targetId?: string;
}

/** Adds the random padding every plaintext carries: 1 to 16 bytes, each the number of them. */
export function pad(message: proto.IMessage): Buffer {
  const length = randomInt(1, 17);
  return Buffer.concat([proto.Message.encode(message).finish(), Buffer.alloc(length, length)]);
}

/** @throws Error when the padding is not what {@link pad} makes. */
export function unpad(plaintext: Buffer): proto.IMessage {
  const length = plaintext.at(-1) ?? 0;
  if (length < 1 || length > 16 || length > plaintext.length) throw new Error('the padding of a message is wrong');
  return proto.Message.decode(plaintext.subarray(0, -length));
}

/** Takes off the wrappers that only say how a message is to be treated. */
export function unwrap(message: proto.IMessage): proto.IMessage {
  const inner =
    message.deviceSentMessage?.message ??
    message.ephemeralMessage?.message ??
    message.viewOnceMessage?.message ??
    message.viewOnceMessageV2?.message ??
    message.documentWithCaptionMessage?.message ??
    message.editedMessage?.message;
  return inner ? unwrap(inner) : message;
}

/** Describes a message, its media fetched from the store, decrypted and checked against its own hashes. */
export async function describeMessage(server: Server, wrapped: proto.IMessage): Promise<Described> {
  const message = unwrap(wrapped);
  const plain = describeText(message) ?? describeChange(message);
  if (plain) return plain;
  const { imageMessage, videoMessage, audioMessage, documentMessage, stickerMessage } = message;
  if (imageMessage) return describeMedia(server, 'image', 'Image', imageMessage);
  if (videoMessage) return describeMedia(server, 'video', 'Video', videoMessage);
  if (audioMessage) return describeMedia(server, audioMessage.ptt ? 'voice' : 'audio', 'Audio', audioMessage);
  if (documentMessage) return describeMedia(server, 'document', 'Document', documentMessage);
  if (stickerMessage) return describeMedia(server, 'sticker', 'Image', stickerMessage);
  const { locationMessage, contactMessage, contactsArrayMessage } = message;
  if (locationMessage) return { type: 'location', ...optional('text', locationMessage.name) };
  if (contactMessage) return { type: 'contact', ...optional('text', contactMessage.displayName) };
  if (contactsArrayMessage) return { type: 'contacts', ...optional('text', contactsArrayMessage.displayName) };
  const poll = message.pollCreationMessage ?? message.pollCreationMessageV2 ?? message.pollCreationMessageV3;
  if (poll) return { type: 'poll', ...optional('text', poll.name) };
  if (message.pollUpdateMessage) return { type: 'poll-vote' };
  if (message.eventMessage) return { type: 'event', ...optional('text', message.eventMessage.name) };
  if (message.encEventResponseMessage) return { type: 'event-response' };
  return { type: 'other' };
}

function describeText(message: proto.IMessage): Described | undefined {
  if (message.conversation) return { type: 'text', text: message.conversation };
  const extended = message.extendedTextMessage;
  if (!extended) return undefined;
  return { type: 'text', text: extended.text ?? '', ...describeContext(extended.contextInfo) };
}

function describeChange(message: proto.IMessage): Described | undefined {
  const { reactionMessage, protocolMessage } = message;
  if (reactionMessage) {
    return { type: 'reaction', text: reactionMessage.text ?? '', ...optional('targetId', reactionMessage.key?.id) };
  }
  if (!protocolMessage) return undefined;
  const target = optional('targetId', protocolMessage.key?.id);
  if (protocolMessage.type === proto.Message.ProtocolMessage.Type.REVOKE) return { type: 'revoke', ...target };
  if (protocolMessage.type === proto.Message.ProtocolMessage.Type.MESSAGE_EDIT) {
    return { ...describeText(protocolMessage.editedMessage ?? {}), type: 'edit', ...target };
  }
  return { type: 'protocol' };
}

function describeContext(context: proto.IContextInfo | null | undefined): Partial<Described> {
  return {
    ...optional('quotedId', context?.stanzaId),
    ...(context?.mentionedJid?.length ? { mentions: context.mentionedJid } : {}),
  };
}

interface MediaPart {
  mediaKey?: Uint8Array | null;
  directPath?: string | null;
  fileSha256?: Uint8Array | null;
  fileEncSha256?: Uint8Array | null;
  mimetype?: string | null;
  caption?: string | null;
  contextInfo?: proto.IContextInfo | null;
}

async function describeMedia(server: Server, type: string, kind: MediaKind, part: MediaPart): Promise<Described> {
  const words = { type, ...optional('caption', part.caption), ...describeContext(part.contextInfo) };
  const file = part.directPath ? await loadMedia(server, part.directPath) : undefined;
  if (!file || !part.mediaKey) {
    server.stats.violation(`${type} message: its file was never uploaded`);
    return words;
  }
  const plaintext = decryptMedia(kind, part.mediaKey, file);
  const sha256 = Buffer.from(mediaToken(plaintext), 'base64url');
  if (!sha256.equals(part.fileSha256 ?? Buffer.alloc(0))) server.stats.violation(`${type} message: wrong fileSha256`);
  const encrypted = Buffer.from(mediaToken(file), 'base64url');
  if (!encrypted.equals(part.fileEncSha256 ?? Buffer.alloc(0))) {
    server.stats.violation(`${type} message: wrong fileEncSha256`);
  }
  const media = { mimetype: part.mimetype ?? '', sha256: sha256.toString('hex'), bytes: plaintext.length };
  return { ...words, media };
}

function optional<K extends string>(key: K, value: string | null | undefined): { readonly [P in K]?: string } {
  const out: { [P in K]?: string } = {};
  if (value) out[key] = value;
  return out;
}
