import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { type Device, nowSeconds, pnJid } from './accounts.ts';
import { deliver } from './delivery.ts';
import { sendMediaAgain } from './media.ts';
import { unwrap } from './message-content.ts';
import type { Phone } from './phone.ts';
import {
  attrJid,
  attrText,
  type BinaryNode,
  node,
  requireBytes,
  requireChild,
  requireJid,
  requireText,
} from './wire/binary-node.ts';
import { formatJid, type Jid } from './wire/jid.ts';

const { ResultType } = proto.MediaRetryNotification;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** WhatsApp's number for "the phone does not have it either". */
const NOT_FOUND = '2';

interface Kept {
  readonly message: proto.IMessage;
  readonly chat: Jid;
  readonly author: Jid | undefined;
  readonly fromMe: boolean;
}

/** A client asks its own phone for a file that the server has dropped: the phone uploads it again, or says why not. */
export async function answerReupload(phone: Phone, by: Device, receipt: BinaryNode): Promise<void> {
  const id = requireText(receipt, 'id');
  const wanted = requireChild(receipt, 'rmr');
  if (phone.script.reupload === 'silent') return;
  const kept = find(phone, id);
  const mediaKey = kept && mediaOf(kept.message)?.mediaKey;
  if (!kept || !mediaKey || phone.script.reupload === 'missing') {
    notify(phone, by, id, wanted, node('error', { code: NOT_FOUND }));
    return;
  }
  assertNamed(phone, kept, receipt, wanted);
  const key = Buffer.from(hkdfSync('sha256', mediaKey, Buffer.alloc(0), 'WhatsApp Media Retry Notification', 32));
  assertSealed(receipt, key, id);
  const refused = phone.script.reupload === 'error';
  const directPath = refused ? undefined : await sendMediaAgain(phone.server, mediaOf(kept.message)?.directPath ?? '');
  const result = refused ? ResultType.GENERAL_ERROR : directPath ? ResultType.SUCCESS : ResultType.NOT_FOUND;
  const answer = { stanzaId: id, result, ...(directPath && { directPath }) };
  notify(phone, by, id, wanted, sealed(key, id, proto.MediaRetryNotification.encode(answer).finish()));
}

function find(phone: Phone, id: string): Kept | undefined {
  const sent = phone.sent.get(id);
  if (sent) return { message: sent.message, chat: sent.chat, author: undefined, fromMe: true };
  const received = phone.inbox.since(0).find(({ entry }) => entry.id === id);
  return received && { ...received, fromMe: received.entry.fromMe };
}

function mediaOf(message: proto.IMessage) {
  const { imageMessage, videoMessage, audioMessage, documentMessage, stickerMessage } = unwrap(message);
  return imageMessage ?? videoMessage ?? audioMessage ?? documentMessage ?? stickerMessage;
}

/** @throws Error unless the client names the message as it is */
function assertNamed({ server, account }: Phone, kept: Kept, receipt: BinaryNode, wanted: BinaryNode): void {
  const same = (one: Jid | undefined, other: Jid | undefined): boolean =>
    one !== undefined &&
    other !== undefined &&
    (formatJid(one) === formatJid(other) || (server.accounts.find(one) ?? one) === server.accounts.find(other));
  const author = kept.fromMe ? pnJid(account) : kept.author;
  const isNamed =
    same(requireJid(receipt, 'to'), pnJid(account)) &&
    same(requireJid(wanted, 'jid'), kept.chat) &&
    attrText(wanted, 'from_me') === String(kept.fromMe) &&
    (kept.chat.server !== 'g.us' || same(attrJid(wanted, 'participant'), author));
  if (!isNamed) throw new Error('the message whose media is wanted is named as another');
}

/** @throws Error unless the request is sealed with the key of its media */
function assertSealed(receipt: BinaryNode, key: Buffer, id: string): void {
  const box = requireChild(receipt, 'encrypt');
  const body = requireBytes(requireChild(box, 'enc_p'));
  const decipher = createDecipheriv('aes-256-gcm', key, requireBytes(requireChild(box, 'enc_iv'), IV_BYTES));
  decipher.setAAD(Buffer.from(id)).setAuthTag(body.subarray(-TAG_BYTES));
  const plain = Buffer.concat([decipher.update(body.subarray(0, -TAG_BYTES)), decipher.final()]);
  const { stanzaId } = proto.ServerErrorReceipt.decode(plain);
  if (stanzaId !== id) throw new Error('a media request is sealed for another message');
}

function sealed(key: Buffer, id: string, plain: Uint8Array): BinaryNode {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(id));
  const body = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return node('encrypt', {}, [node('enc_p', {}, body), node('enc_iv', {}, iv)]);
}

function notify({ server, account }: Phone, to: Device, id: string, wanted: BinaryNode, answer: BinaryNode): void {
  const attrs = { type: 'mediaretry', id, from: pnJid(account), t: String(nowSeconds()) };
  deliver(server, to, node('notification', attrs, [answer, node('rmr', wanted.attrs)]));
}
