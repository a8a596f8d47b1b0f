import {
  type BinaryNode,
  getStatusFromReceiptType,
  isJidGroup,
  isJidStatusBroadcast,
  jidNormalizedUser,
} from '@whiskeysockets/baileys';
import { type ChatId, isGroup } from '#shared/domain/chat-id.ts';
import { ACKS, type Ack, ackName } from '#shared/domain/message-ack.ts';
import { formatMessageId } from '#shared/domain/message-id.ts';
import type { EngineEvent } from '../engine.ts';
import {
  type Address,
  type AddressedMessage,
  givenAddress,
  type LookUpOther,
  resolveAddress,
  resolveMessage,
} from './ids.ts';
import { isMe } from './me.ts';
import { unpackTraceparent } from './packed-traceparent.ts';
import type { OwnAddresses } from './rebuild-message.ts';

export interface ReceiptPorts {
  me(): ChatId | undefined;
  lookUpOther: LookUpOther;
  /** Milliseconds since 1970. */
  now(): number;
}

/**
 * Baileys' message status is WAHA's ack plus one. Not among them: that the server has a message, which is told with the
 * message (`serverAck`), and a refusal, which the job that sent reports.
 */
const ACK_OF_STATUS: Readonly<Record<number, Ack>> = {
  3: ACKS.DEVICE,
  4: ACKS.READ,
  5: ACKS.PLAYED,
};

/** A receipt that says how far messages of ours have come. */
export interface OwnReceipt {
  readonly attrs: Readonly<Record<string, string>>;
  readonly ids: readonly string[];
  /** Of the messages' jobs, packed, in the order of `ids`. */
  readonly traceparents?: readonly (Uint8Array | null)[] | undefined;
}

/** The messages that a receipt stanza names. */
export function receiptIds({ attrs, content }: BinaryNode): readonly string[] {
  const [list] = Array.isArray(content) ? content : [];
  const items = Array.isArray(list?.content) ? list.content.map((item) => item.attrs.id) : [];
  return [attrs.id, ...items].filter((id) => id !== undefined);
}

/**
 * As WAHA's NOWEB tells them: `message.ack` in chats with one person; in groups, and of a status, `message.ack.group` for
 * each participant by itself, and nothing for all of them together.
 *
 * @returns the acks of a receipt for messages of ours, one for each of them; none when it tells of something else
 */
export async function toAcks(
  { attrs, ids, traceparents }: OwnReceipt,
  me: OwnAddresses,
  ports: ReceiptPorts,
): Promise<EngineEvent[]> {
  const ack = ackOf(attrs, me);
  const remoteJid = attrs.from;
  const ownId = ports.me();
  if (ack === undefined || !remoteJid || !ownId) return [];
  const shared = isJidGroup(remoteJid) || isJidStatusBroadcast(remoteJid);
  if (shared && !attrs.participant) return [];
  const jid = shared ? jidNormalizedUser(attrs.participant) : undefined;
  const reader = await resolveAddress(jid, undefined, ports.lookUpOther);
  const seconds = Number(attrs.t);
  const timestamp = seconds > 0 ? seconds * 1000 : ports.now();
  const acks = ids.map(async (id, index): Promise<EngineEvent | undefined> => {
    const address = await resolveMessage({ remoteJid, fromMe: true, id }, ownId, ports.lookUpOther);
    if (!address) return undefined;
    const traceparent = traceparents?.[index];
    return {
      body: ackBody(address, ownId, ack, reader),
      key: [address.eventKey, ack, givenAddress(jid)].filter((part) => part !== undefined).join('_'),
      timestamp,
      ...(traceparent && { traceparent: unpackTraceparent(traceparent) }),
    };
  });
  return (await Promise.all(acks)).filter((one) => one !== undefined);
}

/** The first ack of a message of ours. @param timestamp of the server's, in milliseconds */
export function serverAck(address: AddressedMessage, me: ChatId, timestamp: number): EngineEvent {
  const body = ackBody(address, me, ACKS.SERVER, address.participant);
  return { body, key: `${address.eventKey}_${ACKS.SERVER}`, timestamp };
}

/**
 * How far the messages have come; undefined when they are not ours, the receipt asks for something, or an own device
 * speaks of what it has, which in a group is what others wrote.
 */
export function ackOf({ from, participant, recipient, type }: OwnReceipt['attrs'], me: OwnAddresses): Ack | undefined {
  const status = recipient || isMe(participant || from, me) ? undefined : getStatusFromReceiptType(type);
  return typeof status === 'number' ? ACK_OF_STATUS[status] : undefined;
}

function ackBody(
  { key, chat }: AddressedMessage,
  me: ChatId,
  ack: Ack,
  participant: Address | undefined,
): EngineEvent['body'] {
  const shared = isGroup(chat.id) || isJidStatusBroadcast(chat.id);
  return {
    event: shared ? 'message.ack.group' : 'message.ack',
    payload: {
      id: formatMessageId(key),
      from: me,
      to: chat.id,
      participant: participant?.id ?? null,
      fromMe: true,
      ack,
      ackName: ackName(ack),
      _data: { lid: participant?.lid ?? chat.lid ?? null },
    },
  };
}
