import { proto, type WAMessage } from '@whiskeysockets/baileys';
import type { PollVotePayload } from '#shared/contracts/event-payloads.ts';
import type { WaMessage } from '#shared/contracts/message.ts';
import { ACKS, ackName } from '#shared/domain/message-ack.ts';
import { formatMessageId } from '#shared/domain/message-id.ts';
import type { AddressedMessage } from './ids.ts';
import type { MessageContent } from './msgconv/content.ts';
import type { Mentions } from './msgconv/mentions.ts';

export type MessageSource = WaMessage['source'];

/** Other people whom a message has to do with. */
export interface People extends Mentions {
  readonly replyTo: WaMessage['replyTo'];
}

const NOBODY: People = { replyTo: null, mentions: [], mentionedLids: [], mentionsAll: false };

/** Everything a client's view of a message is made of. */
export interface MessageParts {
  readonly message: WAMessage;
  readonly address: AddressedMessage;
  readonly content: MessageContent | undefined;
  /** Whom the content answers and mentions. */
  readonly people?: People;
  readonly media: WaMessage['media'];
  readonly source: MessageSource;
  /** Seconds. */
  readonly timestamp: number;
  /** The account's own chat id. */
  readonly me: string;
}

export function toWaMessage(parts: MessageParts): WaMessage {
  const { message, address, content, media, source, timestamp, me } = parts;
  const { replyTo, ...mentions } = parts.people ?? NOBODY;
  const { key, chat, participant } = address;
  const text = content?.body ?? '';
  return {
    id: formatMessageId(key),
    timestamp,
    from: key.fromMe ? me : chat.id,
    fromMe: key.fromMe,
    source,
    to: key.fromMe ? chat.id : me,
    participant: participant?.id ?? null,
    body: text,
    hasMedia: content?.media !== undefined,
    media,
    ack: ACKS.SERVER,
    ackName: ackName(ACKS.SERVER),
    author: participant?.id ?? null,
    location: content?.location ?? null,
    vCards: [...(content?.vCards ?? [])],
    replyTo,
    _data: {
      type: content?.type ?? 'unknown',
      pushName: message.pushName ?? null,
      lid: participant?.lid ?? chat.lid ?? null,
      ...mentions,
      content: message.message ? Buffer.from(proto.Message.encode(message.message).finish()).toString('base64') : null,
    },
  };
}

/** Which message it is, and between whom: how WAHA names a message that another is about. */
export function destinationOf({ key, chat, participant }: AddressedMessage, me: string): PollVotePayload['poll'] {
  const { fromMe } = key;
  return {
    id: formatMessageId(key),
    from: fromMe ? me : chat.id,
    to: fromMe ? chat.id : me,
    fromMe,
    ...(participant && { participant: participant.id }),
  };
}
