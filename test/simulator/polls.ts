import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { unwrap } from './message-content.ts';
import { NotFound } from './not-found.ts';

/** A poll's id, and the addresses that its votes are bound to. */
interface VoteNames {
  readonly id: string;
  readonly creator: string;
  readonly voter: string;
}

/** A new poll with the secret that its votes are encrypted with. */
export function pollContent({ name, options }: { readonly name: string; readonly options: readonly string[] }) {
  const pollCreationMessageV3 = {
    name,
    options: options.map((optionName) => ({ optionName })),
    selectableOptionsCount: 0,
  };
  return { type: 'poll', message: { pollCreationMessageV3, messageContextInfo: { messageSecret: randomBytes(32) } } };
}

/** Encrypts a vote on a poll. @throws NotFound when the message is none. */
export function sealVote(message: proto.IMessage, names: VoteNames, options: readonly string[]) {
  const secret = (unwrap(message).messageContextInfo ?? message.messageContextInfo)?.messageSecret;
  if (!secret) throw new NotFound(`the message ${names.id} is no poll`);
  const selectedOptions = options.map((option) => createHash('sha256').update(option).digest());
  const { id, creator, voter } = names;
  const seed = createHmac('sha256', Buffer.alloc(32)).update(secret).digest();
  const key = createHmac('sha256', seed).update(`${id}${creator}${voter}Poll Vote\u0001`).digest();
  const encIv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, encIv).setAAD(Buffer.from(`${id}\0${voter}`));
  const plain = proto.Message.PollVoteMessage.encode({ selectedOptions }).finish();
  return { encPayload: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]), encIv };
}
