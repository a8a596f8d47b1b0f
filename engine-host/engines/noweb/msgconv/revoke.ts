import { proto } from '@whiskeysockets/baileys';

/** Id of the message that was deleted for everybody. */
export function readRevoke({ protocolMessage }: proto.IMessage): string | undefined {
  if (protocolMessage?.type !== proto.Message.ProtocolMessage.Type.REVOKE) return undefined;
  return protocolMessage.key?.id ?? undefined;
}
