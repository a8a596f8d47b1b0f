import type { SentMessage } from '#shared/contracts/api/bodies.ts';
import type { SendCommand } from '#shared/contracts/commands.ts';
import type { JobRow, JobState } from '#shared/contracts/jobs.ts';
import { messageAt } from '#shared/contracts/media-address.ts';
import type { MessageView, WaMessage } from '#shared/contracts/message.ts';
import type { MessageRow, SessionRow } from '#shared/contracts/rows.ts';
import { chatIdToJid, parseChatId } from '#shared/domain/chat-id.ts';
import { ACKS, type Ack, ackName } from '#shared/domain/message-ack.ts';

/**
 * A stored message as clients see it: with its newest ack, what happened to it since (`_data.reactions`,
 * `_data.editedAt`, `_data.revokedAt`, milliseconds), and media at an address they can open. Of a message that was
 * deleted for everybody nothing is shown but that it was there.
 */
export function messageView(row: MessageRow, baseUrl: string): MessageView {
  const ack = knownAck(Math.max(row.ack, row.message.ack)) ?? ACKS.PENDING;
  const message = row.revokedAt === undefined ? row.message : withoutContent(row.message);
  return {
    ...messageAt(baseUrl, message),
    ack,
    ackName: ackName(ack),
    _data: { ...message._data, ...since(row) },
  };
}

/**
 * The same in a list: without the protobuf (`_data.content`), which has the picture's thumbnail and would make a thousand
 * messages too large for one answer.
 */
export function listedMessageView(row: MessageRow, baseUrl: string): MessageView {
  const view = messageView(row, baseUrl);
  const { content: _alone, ...data } = view._data ?? {};
  return { ...view, _data: data };
}

function withoutContent(message: WaMessage): WaMessage {
  const { content: _content, ...data } = message._data ?? {};
  return { ...message, body: '', hasMedia: false, media: null, location: null, vCards: [], replyTo: null, _data: data };
}

function since({ reactions, editedAt, revokedAt }: MessageRow): Record<string, unknown> {
  return {
    ...(Object.keys(reactions).length > 0 && { reactions }),
    ...(editedAt !== undefined && { editedAt }),
    ...(revokedAt !== undefined && { revokedAt }),
  };
}

/** A send as clients see it from the moment it is accepted. */
export function sentMessageView(job: JobRow, command: SendCommand, session: SessionRow): SentMessage {
  const id = job.messageId ?? '';
  const ack = ackOf(job.state);
  const chat = parseChatId(command.chatId);
  return {
    id: `true_${command.chatId}_${id}`,
    timestamp: Math.floor(job.createdAt / 1000),
    from: session.me?.id ?? null,
    to: command.chatId,
    fromMe: true,
    source: 'api',
    participant: null,
    body: bodyOf(command),
    hasMedia: 'media' in command,
    media: null,
    mediaUrl: '',
    ack,
    ackName: ackName(ack),
    vCards: command.type === 'sendContactVcard' ? command.contacts.map((contact) => contact.vcard) : [],
    location: command.type === 'sendLocation' ? locationOf(command) : null,
    replyTo: 'quoted' in command && command.quoted ? { id: command.quoted.id, hasMedia: false } : null,
    key: { id, remoteJid: chat === undefined ? command.chatId : chatIdToJid(chat), fromMe: true },
    _data: { jobId: job.jobId },
  };
}

function ackOf(state: JobState): Ack {
  switch (state) {
    case 'SENT':
    case 'DONE':
      return ACKS.SERVER;
    case 'DELIVERED':
      return ACKS.DEVICE;
    case 'READ':
      return ACKS.READ;
    case 'PLAYED':
      return ACKS.PLAYED;
    case 'FAILED':
    case 'EXPIRED':
    case 'CANCELLED':
      return ACKS.ERROR;
    default:
      return ACKS.PENDING;
  }
}

function knownAck(value: number): Ack | undefined {
  return Object.values(ACKS).find((ack) => ack === value);
}

function locationOf(command: Extract<SendCommand, { type: 'sendLocation' }>) {
  const { latitude, longitude, title } = command;
  return { latitude: String(latitude), longitude: String(longitude), live: false, name: title ?? null };
}

function bodyOf(command: SendCommand): string {
  switch (command.type) {
    case 'sendText':
    case 'editMessage':
      return command.text;
    case 'sendImage':
    case 'sendFile':
    case 'sendVideo':
      return command.caption ?? '';
    case 'sendPoll':
      return command.name;
    case 'sendReaction':
      return command.reaction;
    default:
      return '';
  }
}
