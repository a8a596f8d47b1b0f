import type { EngineEvent } from '../engine.ts';
import type { StoredMedia } from './happening.ts';
import { resolveMessage } from './ids.ts';
import type { ReceiptPorts } from './receipts.ts';
import { destinationOf } from './wa-message.ts';

/** @returns undefined where there is nobody to tell it to: the account is not paired */
export async function toMediaEvent(
  { at, chat, id, fromMe, participant, media }: StoredMedia,
  { me: ownId, lookUpOther }: Pick<ReceiptPorts, 'me' | 'lookUpOther'>,
): Promise<EngineEvent | undefined> {
  const me = ownId();
  const key = { remoteJid: chat, id, fromMe, ...(participant && { participant }) };
  const address = await resolveMessage(key, me, lookUpOther);
  if (!address || !me) return undefined;
  const payload = {
    ...destinationOf(address, me),
    participant: address.participant?.id ?? null,
    timestamp: Math.floor(at / 1000),
    media,
    _data: { lid: address.participant?.lid ?? address.chat.lid ?? null },
  };
  return { body: { event: 'message.media', payload }, key: address.eventKey, timestamp: at };
}
