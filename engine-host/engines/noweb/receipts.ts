import type { MessageUserReceiptUpdate, WAMessageKey, WAMessageUpdate } from '@whiskeysockets/baileys';
import type { ChatId } from '#shared/domain/chat-id.ts';
import { ACKS, type Ack, ackName } from '#shared/domain/message-ack.ts';
import { formatMessageId } from '#shared/domain/message-id.ts';
import type { EngineEvent } from '../engine.ts';
import { type LookUpPhone, resolveAddress, resolveMessage } from './ids.ts';
import { toNumber } from './msgconv/content.ts';

export interface ReceiptPorts {
  me(): ChatId | undefined;
  lookUpPhone: LookUpPhone;
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

/** How far a message of ours in a direct chat has come; undefined when the update says nothing of that. */
export async function toAck(update: WAMessageUpdate, ports: ReceiptPorts): Promise<EngineEvent | undefined> {
  const { status, messageTimestamp } = update.update;
  const ack = typeof status === 'number' ? ACK_OF_STATUS[status] : undefined;
  if (ack === undefined || update.key.fromMe !== true) return undefined;
  return ackEvent('message.ack', update.key, ack, toNumber(messageTimestamp), undefined, ports);
}

/** How far a message of ours has come at one member of a group. */
export async function toGroupAck(
  { key, receipt }: MessageUserReceiptUpdate,
  ports: ReceiptPorts,
): Promise<EngineEvent | undefined> {
  if (key.fromMe !== true) return undefined;
  const read = toNumber(receipt.readTimestamp);
  const ack = read > 0 ? ACKS.READ : ACKS.DEVICE;
  const seconds = read || toNumber(receipt.receiptTimestamp);
  return ackEvent('message.ack.group', key, ack, seconds, receipt.userJid ?? undefined, ports);
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
  const address = await resolveMessage(messageKey, me, ports.lookUpPhone);
  if (!address || !me) return undefined;
  const participant = reader ? await resolveAddress(reader, undefined, ports.lookUpPhone) : undefined;
  const id = formatMessageId(address.key);
  const payload = {
    id,
    from: me,
    to: address.chat.id,
    participant: participant?.id ?? null,
    fromMe: true,
    ack,
    ackName: ackName(ack),
  };
  return {
    body: { event, payload },
    key: [id, ack, participant?.id].filter((part) => part !== undefined).join('_'),
    timestamp: seconds > 0 ? seconds * 1000 : ports.now(),
  };
}
