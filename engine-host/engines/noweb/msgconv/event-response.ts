import type { proto } from '@whiskeysockets/baileys';

/** Whether somebody comes to a calendar event, still encrypted with the secret of its message. */
export interface SealedEventResponse {
  /** The event's message, seen from this account. */
  readonly about: proto.IMessageKey;
  readonly sealed: proto.Message.IEncEventResponseMessage;
}

export function readSealedEventResponse(message: proto.IMessage): SealedEventResponse | undefined {
  const { encEventResponseMessage: sealed } = message;
  const about = sealed?.eventCreationMessageKey;
  return sealed && about?.id ? { about, sealed } : undefined;
}
