import { randomBytes } from 'node:crypto';
import { type Account, lidJid, nowSeconds, pnJid } from './accounts.ts';
import type { CallRequest } from './admin-requests.ts';
import { deliver } from './delivery.ts';
import type { Server } from './server.ts';
import { type BinaryNode, node } from './wire/binary-node.ts';

/** Tells the linked devices of `to` of a step of a call. @returns the call's id */
export function placeCall(
  server: Server,
  from: Account,
  to: Account,
  { id = randomBytes(16).toString('hex').toUpperCase(), step = 'offer', video = false }: Omit<CallRequest, 'to'>,
): { id: string } {
  const attrs = { from: lidJid(from), t: String(nowSeconds()), notify: from.name || undefined };
  for (const device of to.devices.values()) {
    if (device.id === 0) continue;
    deliver(server, device, node('call', { ...attrs, id: server.nextId() }, [stepNode(from, id, step, video)]));
  }
  return { id };
}

function stepNode(caller: Account, id: string, step: NonNullable<CallRequest['step']>, video: boolean): BinaryNode {
  const attrs = { 'call-id': id, 'call-creator': lidJid(caller) };
  switch (step) {
    case 'offer': {
      const audio = node('audio', { enc: 'opus', rate: '16000' });
      return node('offer', { ...attrs, caller_pn: pnJid(caller) }, video ? [audio, node('video')] : [audio]);
    }
    case 'timeout':
      return node('terminate', { ...attrs, reason: 'timeout' });
    default:
      return node(step, attrs);
  }
}
