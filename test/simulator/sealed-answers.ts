import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import type { proto } from '@whiskeysockets/baileys';
import { unwrap } from './message-content.ts';
import { NotFound } from './not-found.ts';

/** The id of a message that can be answered, and the addresses that its answers are bound to. */
export interface AnswerNames {
  readonly id: string;
  readonly creator: string;
  readonly answerer: string;
}

/** What its answers are encrypted with. */
export const messageSecret = () => ({ messageContextInfo: { messageSecret: randomBytes(32) } });

/** Encrypts an answer to a message. @param use what the key is for @throws NotFound when the message takes none */
export function sealAnswer(
  message: proto.IMessage,
  { id, creator, answerer }: AnswerNames,
  use: string,
  plain: Uint8Array,
) {
  const secret = (unwrap(message).messageContextInfo ?? message.messageContextInfo)?.messageSecret;
  if (!secret) throw new NotFound(`the message ${id} takes no answers`);
  const seed = createHmac('sha256', Buffer.alloc(32)).update(secret).digest();
  const key = createHmac('sha256', seed).update(`${id}${creator}${answerer}${use}\u0001`).digest();
  const encIv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, encIv).setAAD(Buffer.from(`${id}\0${answerer}`));
  return { encPayload: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]), encIv };
}
