import {
  cleanMessage,
  decodeMessageNode,
  isJidBroadcast,
  normalizeMessageContent,
  proto,
  unpadRandomMax16,
  type WAMessage,
} from '@whiskeysockets/baileys';
import type { ReceivedMessage } from './happening.ts';
import { isMe } from './me.ts';
import { hasUnknownField } from './unknown-fields.ts';

/** The account's own addresses; `lid` is empty before it is known. */
export interface OwnAddresses {
  readonly id: string;
  readonly lid: string;
}

/**
 * What Baileys would make of a stanza, from what the inbox has of it.
 * @throws Error when the stanza is no message to this account
 */
export function rebuildMessage({ attrs, parts }: ReceivedMessage, me: OwnAddresses): WAMessage {
  const { fullMessage } = decodeMessageNode({ tag: 'message', attrs: { ...attrs } }, me.id, me.lid);
  const { key } = fullMessage;
  // Of those who write to a list, Baileys knows the account by its number only.
  if (isJidBroadcast(key.remoteJid ?? '')) key.fromMe = isMe(key.participant ?? undefined, me);
  const contents = parts.flatMap(({ plain }) => (plain ? [readContent(plain)] : []));
  if (contents.length > 0)
    fullMessage.message = Object.assign(new proto.Message(), ...contents, unreadable(parts, contents));
  if (parts.some(({ plain }) => plain === null) || parts.length === 0) {
    fullMessage.messageStubType = proto.WebMessageInfo.StubType.CIPHERTEXT;
  }
  // Without a key, which is up to the sender, the next would throw.
  const content = normalizeMessageContent(fullMessage.message);
  const { reactionMessage, pollUpdateMessage, encEventResponseMessage } = content ?? {};
  if (reactionMessage) reactionMessage.key ??= {};
  if (pollUpdateMessage) pollUpdateMessage.pollCreationMessageKey ??= {};
  cleanMessage(fullMessage, me.id, me.lid);
  const event = encEventResponseMessage?.eventCreationMessageKey;
  // It sees the keys of reactions and votes from this account's side, and those of responses to events as they came.
  if (event) cleanMessage({ key: fullMessage.key, message: { reactionMessage: { key: event } } }, me.id, me.lid);
  return fullMessage;
}

/** What stands for a content of a later version, as WhatsApp's own placeholder does for what a device may not show. */
function unreadable(parts: ReceivedMessage['parts'], contents: readonly proto.IMessage[]): proto.IMessage {
  const isKnown = contents.some(
    ({ messageContextInfo: _, senderKeyDistributionMessage: __, ...content }) => Object.keys(content).length > 0,
  );
  const isThere = !isKnown && parts.some(({ plain }) => plain !== null && hasUnknownField(plain));
  return isThere ? { placeholderMessage: {} } : {};
}

/** A plaintext as it was meant for this device. */
export function readContent(plain: Uint8Array): proto.IMessage {
  const { messageContextInfo, ...message } = proto.Message.decode(plain);
  const content = message.deviceSentMessage?.message ?? message;
  // A copy of an own device may have the context, and so a poll's secret, around what was sent.
  return messageContextInfo ? { messageContextInfo, ...content } : content;
}

/** Takes the padding off that the sender put behind a message. @throws Error when it is not padded */
export function unpadded(padded: Uint8Array): Uint8Array {
  return unpadRandomMax16(padded);
}

/** Puts the shortest padding behind a message; with nothing in front it is a message without content. */
export function padded(plain: Uint8Array): Buffer {
  return Buffer.concat([plain, Uint8Array.of(1)]);
}

const { Type } = proto.Message.ProtocolMessage;
const INTERNAL: ReadonlySet<unknown> = new Set([
  Type.HISTORY_SYNC_NOTIFICATION,
  Type.APP_STATE_SYNC_KEY_SHARE,
  Type.LID_MIGRATION_MAPPING_SYNC,
  Type.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE,
]);

/** Whether a content is for the account's own devices, with an effect in Baileys that comes after the receipt. */
export function isInternal({ protocolMessage }: proto.IMessage): boolean {
  return protocolMessage?.type !== undefined && INTERNAL.has(protocolMessage?.type);
}
