import { proto } from '@whiskeysockets/baileys';
import { toNumber } from './content.ts';

export interface Edit {
  /** Id of the message that was edited. */
  readonly targetId: string;
  readonly message: proto.IMessage;
  /** Milliseconds since 1970; undefined when the sender did not say. */
  readonly timestamp: number | undefined;
}

export function readEdit({ protocolMessage }: proto.IMessage): Edit | undefined {
  if (protocolMessage?.type !== proto.Message.ProtocolMessage.Type.MESSAGE_EDIT) return undefined;
  const { key, editedMessage, timestampMs } = protocolMessage;
  if (!key?.id || !editedMessage) return undefined;
  return { targetId: key.id, message: editedMessage, timestamp: toNumber(timestampMs) || undefined };
}
