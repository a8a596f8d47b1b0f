import type { Device, PendingStanza } from './accounts.ts';
import type { ClientSession } from './client-session.ts';
import { matches } from './faults.ts';
import { receiptIds } from './receipt-ids.ts';
import type { Server } from './server.ts';
import { attrText, type BinaryNode, node, requireText } from './wire/binary-node.ts';
import { SERVER_JID } from './wire/jid.ts';

/** Gives a stanza to a device: to the simulated phone, to the connected client, or to its offline queue. */
export function deliver(server: Server, to: Device, stanza: BinaryNode): void {
  if (to.id === 0) {
    to.account.simulated.receive(stanza);
    return;
  }
  const target = { phone: to.account.phone, device: to.id, tag: stanza.tag };
  if (server.faults.strike('drop', target)) {
    if (stanza.tag === 'message')
      server.clientLog.note({ kind: 'dropped', phone: target.phone, device: to.id, id: requireText(stanza, 'id') });
    return;
  }
  if (stanza.tag === 'message') server.stats.messagesOut += 1;
  const key = deliveryKey(stanza);
  const entry: PendingStanza = { stanza };
  to.pending.set(key, entry);
  server.changed();
  const delay = server.faults.strike('delay', target)?.ms ?? 0;
  const duplicate = server.faults.strike('duplicate', target) !== undefined;
  server.later(server.settings.deliveryDelayMs + delay, () => {
    const { session } = to;
    if (!session?.active || entry.sentTo === session || to.pending.get(key) !== entry) return;
    if (cutInstead(server, to, stanza.tag)) return;
    leaves(server, entry, session);
    session.send(stanza);
    if (duplicate) session.send(stanza);
  });
}

/** Sends something that is worth nothing later: typing and presence are not queued. */
export function deliverLive(server: Server, to: Device, stanza: BinaryNode): void {
  if (to.id === 0) {
    to.account.simulated.receive(stanza);
    return;
  }
  const target = { phone: to.account.phone, device: to.id, tag: stanza.tag };
  if (!to.session?.active || server.faults.strike('drop', target)) return;
  to.session.send(stanza);
}

function leaves(server: Server, entry: PendingStanza, session: ClientSession): void {
  const place = server.clientLog.place();
  entry.sentTo = session;
  entry.places = { first: entry.places?.first ?? place, last: place };
  const { stanza } = entry;
  if (stanza.tag !== 'receipt' || attrText(stanza, 'type') === 'retry') return;
  for (const id of receiptIds(stanza)) server.clientLog.givesReceipt(id, place);
}

/** Forgets a stanza the client has acknowledged. */
export function acknowledged(server: Server, by: Device, key: string): void {
  if (by.pending.delete(key)) server.changed();
}

/** Forgets a message the client has taken responsibility for, one way or another. */
export function taken(server: Server, by: Device, id: string, how: 'receipt' | 'retry' | 'ack' | 'refusal'): void {
  const key = messageKey(id);
  const places = by.pending.get(key)?.places ?? { first: 0, last: 0 };
  if (by.pending.has(key))
    server.clientLog.note({ kind: 'taken', phone: by.account.phone, device: by.id, id, how, ...places });
  acknowledged(server, by, key);
}

/** Messages are acknowledged by id alone; several receipts may share an id, so theirs names the peer as well. */
function deliveryKey(stanza: BinaryNode): string {
  const id = attrText(stanza, 'id') ?? '';
  if (stanza.tag === 'message') return messageKey(id);
  return stanzaKey(stanza.tag, id, attrText(stanza, 'from'), attrText(stanza, 'participant'), attrText(stanza, 'type'));
}

const messageKey = (id: string): string => `message ${id}`;

export const stanzaKey = (
  tag: string,
  id: string,
  peer: string | undefined,
  participant: string | undefined,
  type: string | undefined,
): string => [tag, id, peer ?? '', participant ?? '', type ?? ''].join(' ');

/** Sends what has waited for the device, marked as offline, and always the closing count. */
export function flushOffline(server: Server, device: Device): void {
  const { session } = device;
  if (!session) return;
  const waiting = [...device.pending.values()];
  const count = (tag: string): string => String(waiting.filter(({ stanza }) => stanza.tag === tag).length);
  if (waiting.length > 0) {
    const preview = node('offline_preview', {
      count: String(waiting.length),
      message: count('message'),
      notification: count('notification'),
      receipt: count('receipt'),
      appdata: '0',
    });
    session.send(node('ib', { from: SERVER_JID }, [preview]));
  }
  for (const entry of waiting) {
    const { stanza } = entry;
    leaves(server, entry, session);
    session.send(node(stanza.tag, { ...stanza.attrs, offline: '0' }, stanza.content));
  }
  session.send(node('ib', { from: SERVER_JID }, [node('offline', { count: String(waiting.length) })]));
}

/** Every connected session a fault concerns. */
export function sessionsMatching(server: Server, fault: Parameters<typeof matches>[0]): Device[] {
  const hit: Device[] = [];
  for (const session of server.sessions) {
    const { device } = session;
    if (device?.session === session && matches(fault, { phone: device.account.phone, device: device.id })) {
      hit.push(device);
    }
  }
  return hit;
}

function cutInstead(server: Server, to: Device, tag: string): boolean {
  const fault = server.faults.strike('cut', { phone: to.account.phone, device: to.id, tag });
  if (!fault) return false;
  to.session?.terminate();
  return true;
}
