import type { SendCommand } from '#shared/contracts/commands.ts';
import type { WaMessage } from '#shared/contracts/message.ts';
import { ACKS, ackName } from '#shared/domain/message-ack.ts';
import type { EngineEvent } from '../engine.ts';
import type { ScriptedMessage } from './engine-script.ts';
import { textOf } from './scripted-content.ts';

interface Own {
  readonly messageId: string;
  readonly content: Uint8Array;
  readonly me: string;
  /** Seconds. */
  readonly timestamp: number;
}

/** What a send of ours becomes once the server has it. */
export function eventOfSend(command: SendCommand, own: Own): EngineEvent {
  const id = `true_${command.chatId}_${own.messageId}`;
  const message = waMessage({
    id,
    fromMe: true,
    source: 'api',
    from: own.me,
    to: command.chatId,
    body: textOf(command),
    timestamp: own.timestamp,
    content: own.content,
  });
  return { body: bodyOfSend(command, message), key: id, timestamp: own.timestamp * 1000 };
}

function bodyOfSend(command: SendCommand, message: WaMessage): EngineEvent['body'] {
  switch (command.type) {
    case 'sendReaction': {
      const { id, timestamp, from, fromMe, source, to, participant } = message;
      const target = `${command.message.fromMe}_${command.message.chatId}_${command.message.id}`;
      const reaction = { text: command.reaction, messageId: target };
      return {
        event: 'message.reaction',
        payload: { id, timestamp, from, fromMe, source, to, participant, reaction },
      };
    }
    case 'editMessage':
      return { event: 'message.edited', payload: { ...message, editedMessageId: command.message.id } };
    case 'deleteMessage':
      return {
        event: 'message.revoked',
        payload: { revokedMessageId: command.message.id, chatId: command.chatId, after: message, before: null },
      };
    default:
      return { event: 'message.any', payload: message };
  }
}

/** What a contact's message becomes. */
export function eventsOfReceived(received: ScriptedMessage, me: string, content: Uint8Array): readonly EngineEvent[] {
  const key = `false_${received.from}_${received.id}`;
  const payload = waMessage({
    id: key,
    fromMe: false,
    source: 'app',
    from: received.from,
    to: me,
    body: received.text,
    timestamp: received.timestamp,
    content,
  });
  const timestamp = received.timestamp * 1000;
  return [
    { body: { event: 'message', payload }, key, timestamp },
    { body: { event: 'message.any', payload }, key, timestamp },
  ];
}

type Parts = Pick<WaMessage, 'id' | 'fromMe' | 'source' | 'from' | 'to' | 'body' | 'timestamp'> & {
  readonly content: Uint8Array;
};

function waMessage({ content, ...parts }: Parts): WaMessage {
  return {
    ...parts,
    participant: null,
    hasMedia: false,
    media: null,
    ack: ACKS.SERVER,
    ackName: ackName(ACKS.SERVER),
    author: null,
    location: null,
    vCards: [],
    replyTo: null,
    _data: { type: 'text', pushName: null, lid: null, content: Buffer.from(content).toString('base64') },
  };
}
