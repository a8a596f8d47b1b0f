import type { BaileysEventMap, WAPresence } from '@whiskeysockets/baileys';
import type { EngineEvent } from '../engine.ts';
import { type LookUpOther, resolveAddress } from './ids.ts';

const NAMES = {
  available: 'online',
  unavailable: 'offline',
  composing: 'typing',
  recording: 'recording',
  paused: 'paused',
} as const satisfies Record<WAPresence, string>;

/** Who is online or typing in a chat. @param now milliseconds since 1970; presence has no time of its own */
export async function toPresence(
  { id, presences }: BaileysEventMap['presence.update'],
  lookUp: LookUpOther,
  now: number,
): Promise<EngineEvent | undefined> {
  const chat = await resolveAddress(id, undefined, lookUp);
  if (!chat) return undefined;
  const list = await Promise.all(
    Object.entries(presences).map(async ([jid, { lastKnownPresence, lastSeen }]) => {
      const { id: participant, lid } = (await resolveAddress(jid, undefined, lookUp)) ?? chat;
      const named = { participant, ...(lid && { lid }) };
      return { ...named, lastKnownPresence: NAMES[lastKnownPresence], lastSeen: lastSeen ?? null };
    }),
  );
  return {
    body: { event: 'presence.update', payload: { id: chat.id, presences: list } },
    key: `${chat.id}_${list.map((one) => `${one.participant}_${one.lastKnownPresence}`).join('_')}_${now}`,
    timestamp: now,
  };
}
