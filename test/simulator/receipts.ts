import { addressLike, type Device, nowSeconds } from './accounts.ts';
import type { ClientSession } from './client-session.ts';
import { acknowledged, deliver, stanzaKey, taken } from './delivery.ts';
import { alternate, memberJid } from './group-nodes.ts';
import { receiptIds } from './receipt-ids.ts';
import type { Server } from './server.ts';
import { attrJid, attrText, type BinaryNode, node, requireText } from './wire/binary-node.ts';
import { formatJid, type Jid } from './wire/jid.ts';

/** Receipts between a client and its own phone or the server; nobody else hears of them. */
const PRIVATE_TYPES = new Set(['sender', 'peer_msg', 'hist_sync']);

/** Takes a receipt from a client: it acknowledges the messages it names and goes on to their author. */
export function acceptReceipt(server: Server, session: ClientSession, by: Device, receipt: BinaryNode): void {
  server.stats.receiptsIn += 1;
  const id = requireText(receipt, 'id');
  const { to, participant, type } = receipt.attrs;
  session.send(node('ack', { class: 'receipt', id, from: to, participant, type, t: String(nowSeconds()) }));
  const kind = attrText(receipt, 'type');
  if (kind === 'server-error') {
    server.stats.reuploads += 1;
    by.account.simulated.uploadAgain(by, receipt);
    return;
  }
  for (const each of receiptIds(receipt)) taken(server, by, each, kind === 'retry' ? 'retry' : 'receipt');
  if (kind === 'retry') server.stats.retries += 1;
  if (kind === undefined || !PRIVATE_TYPES.has(kind)) routeReceipt(server, by, receipt);
}

/** Passes a receipt on to the author of the messages, after the configured delay. */
export function routeReceipt(server: Server, by: Device, receipt: BinaryNode): void {
  const to = attrJid(receipt, 'to');
  if (!to) return;
  server.later(server.settings.receiptDelayMs, () => forward(server, by, receipt, to));
}

function forward(server: Server, by: Device, receipt: BinaryNode, to: Jid): void {
  const type = attrText(receipt, 'type');
  const inChat = to.server === 'g.us' || to.server === 'broadcast';
  const author = inChat ? attrJid(receipt, 'participant') : to;
  const account = author && server.accounts.find(author);
  if (!author || !account) return;
  const common = {
    id: requireText(receipt, 'id'),
    t: attrText(receipt, 't') ?? String(nowSeconds()),
    // "inactive" is how a client that shows itself as away says delivered.
    type: type === 'inactive' ? undefined : type,
  };
  if (type === 'read-self') {
    const own = node('receipt', { ...common, from: addressLike(to, by.account), recipient: to }, receipt.content);
    for (const device of by.account.devices.values()) if (device !== by && device.id > 0) deliver(server, device, own);
    return;
  }
  const group = to.server === 'g.us' ? server.groups.find(to.user) : undefined;
  const reader = group ? memberJid(group, by.account, by.id) : addressLike(author, by.account, by.id);
  const from = inChat
    ? { from: to, participant: reader, ...(group ? alternate(group, by.account, 'participant') : {}) }
    : { from: type === 'retry' ? reader : addressLike(author, by.account) };
  const stanza = node('receipt', { ...common, ...from }, receipt.content);
  if (type === 'retry') {
    const device = account.devices.get(author.device ?? 0);
    if (device) deliver(server, device, stanza);
    return;
  }
  for (const device of account.devices.values()) if (device !== by) deliver(server, device, stanza);
}

/** Takes a client's acknowledgement of something the server has delivered. */
export function acceptAck(server: Server, by: Device, ack: BinaryNode): void {
  const id = requireText(ack, 'id');
  const tag = attrText(ack, 'class') ?? '';
  if (tag === 'message') {
    const refused = attrText(ack, 'error') !== undefined;
    if (refused) server.stats.nacks += 1;
    taken(server, by, id, refused ? 'refusal' : 'ack');
    return;
  }
  const to = ack.attrs.to;
  const peer = typeof to === 'object' ? formatJid(to) : to;
  acknowledged(server, by, stanzaKey(tag, id, peer, attrText(ack, 'participant'), attrText(ack, 'type')));
}
