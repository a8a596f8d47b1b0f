import {
  areJidsSameUser,
  type BinaryNode,
  getStatusFromReceiptType,
  isJidGroup,
  isJidStatusBroadcast,
  jidNormalizedUser,
  type WAMessageKey,
} from '@whiskeysockets/baileys';
import type { ChatId } from '#shared/domain/chat-id.ts';
import { ACKS, type Ack, ackName } from '#shared/domain/message-ack.ts';
import { formatMessageId } from '#shared/domain/message-id.ts';
import type { EngineEvent } from '../engine.ts';
import { givenAddress, type LookUpOther, resolveAddress, resolveMessage } from './ids.ts';
import { unpackTraceparent } from './packed-traceparent.ts';
import type { OwnAddresses } from './rebuild-message.ts';

export interface ReceiptPorts {
  me(): ChatId | undefined;
  lookUpOther: LookUpOther;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Baileys' message status is WAHA's ack plus one. A refusal is not among them: the job that sent reports it. */
const ACK_OF_STATUS: Readonly<Record<number, Ack>> = {
  2: ACKS.SERVER,
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

/** Whose chat a receipt belongs to, in Baileys' reading of its addresses. */
export function receiptChat(attrs: OwnReceipt['attrs'], me: OwnAddresses): string | undefined {
  return !isByMe(attrs, me) || isJidGroup(attrs.from) ? attrs.from : attrs.recipient;
}

/** @returns the acks of a receipt for messages of ours, one for each of them; none when it tells of something else */
export async function toAcks(
  { attrs, ids, traceparents }: OwnReceipt,
  me: OwnAddresses,
  ports: ReceiptPorts,
): Promise<EngineEvent[]> {
  const ack = ackOf(attrs, me);
  const remoteJid = receiptChat(attrs, me);
  if (ack === undefined || !remoteJid) return [];
  const shared = isJidGroup(remoteJid) || isJidStatusBroadcast(remoteJid);
  // That our own devices have a group's message says nothing of its members.
  if (shared && (!attrs.participant || ack === ACKS.SERVER)) return [];
  const event = shared ? 'message.ack.group' : 'message.ack';
  const reader = shared ? jidNormalizedUser(attrs.participant) : undefined;
  const level = shared && ack === ACKS.PLAYED ? ACKS.READ : ack;
  const acks = ids.map(async (id, index) => {
    const ack = await ackEvent(event, { remoteJid, fromMe: true, id }, level, Number(attrs.t), reader, ports);
    const traceparent = traceparents?.[index];
    return ack && { ...ack, ...(traceparent && { traceparent: unpackTraceparent(traceparent) }) };
  });
  return (await Promise.all(acks)).filter((one) => one !== undefined);
}

/** How far the messages have come; undefined when they are not ours or the receipt asks for something. */
export function ackOf(attrs: OwnReceipt['attrs'], me: OwnAddresses): Ack | undefined {
  const { type } = attrs;
  const byMe = isByMe(attrs, me);
  if (attrs.recipient && !(type === 'sender' && byMe)) return undefined;
  const status = getStatusFromReceiptType(type);
  return typeof status === 'number' ? ACK_OF_STATUS[status] : undefined;
}

function isByMe({ from = '', participant }: OwnReceipt['attrs'], me: OwnAddresses): boolean {
  return areJidsSameUser(participant || from, from.includes('lid') ? me.lid : me.id);
}

async function ackEvent(
  event: 'message.ack' | 'message.ack.group',
  messageKey: WAMessageKey,
  ack: Ack,
  seconds: number,
  reader: string | undefined,
  ports: ReceiptPorts,
): Promise<EngineEvent | undefined> {
  const me = ports.me();
  const address = await resolveMessage(messageKey, me, ports.lookUpOther);
  if (!address || !me) return undefined;
  const participant = reader ? await resolveAddress(reader, undefined, ports.lookUpOther) : undefined;
  const id = formatMessageId(address.key);
  const payload = {
    id,
    from: me,
    to: address.chat.id,
    participant: participant?.id ?? null,
    fromMe: true,
    ack,
    ackName: ackName(ack),
    _data: { lid: participant?.lid ?? address.chat.lid ?? null },
  };
  return {
    body: { event, payload },
    key: [address.eventKey, ack, givenAddress(reader)].filter((part) => part !== undefined).join('_'),
    timestamp: seconds > 0 ? seconds * 1000 : ports.now(),
  };
}
