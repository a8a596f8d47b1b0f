import { proto } from '@whiskeysockets/baileys';

export interface Edit {
  /** Id of the message that was edited. */
  readonly targetId: string;
  readonly message: proto.IMessage;
}

export function readEdit({ protocolMessage }: proto.IMessage): Edit | undefined {
  if (protocolMessage?.type !== proto.Message.ProtocolMessage.Type.MESSAGE_EDIT) return undefined;
  const { key, editedMessage } = protocolMessage;
  if (!key?.id || !editedMessage) return undefined;
  return { targetId: key.id, message: editedMessage };
}
