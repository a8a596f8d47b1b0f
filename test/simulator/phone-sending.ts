import type { proto } from '@whiskeysockets/baileys';
import { type Account, type Device, deviceName, messageId, nowSeconds, primaryOf } from './accounts.ts';
import { memberJid } from './group-nodes.ts';
import type { Group } from './groups.ts';
import { pad } from './message-content.ts';
import { routeMessage } from './messages.ts';
import { NotFound } from './not-found.ts';
import type { Phone } from './phone.ts';
import { takeBundle } from './prekeys.ts';
import { distributionOf, encryptWithSenderKey, newSenderKey, type SenderKey } from './sender-keys.ts';
import { type BinaryNode, node } from './wire/binary-node.ts';
import { formatJid, type Jid, jid } from './wire/jid.ts';

/** A message a phone is to send; `type` and `edit` are the stanza's own attributes. */
export interface Sending {
  readonly chat: Jid;
  readonly message: proto.IMessage;
  readonly type?: string;
  readonly edit?: string;
  readonly id?: string;
}

/** A message as it is kept for devices that could not read it. */
export interface SentMessage extends Sending {
  readonly id: string;
}

/**
 * Encrypts a message for everybody concerned and hands it to the routing as if a client had sent it.
 * @throws NotFound when the chat does not exist.
 */
export async function sendFrom(phone: Phone, sending: Sending): Promise<string> {
  const id = sending.id ?? messageId();
  phone.remember(id, { ...sending, id });
  const content =
    sending.chat.server === 'g.us' ? await groupContent(phone, sending) : await directContent(phone, sending);
  dispatch(phone, { ...sending, id }, sending.chat, content);
  return id;
}

/** Encrypts a message again for one device that could not read it. */
export async function sendAgain(phone: Phone, sent: SentMessage, device: Device, count: number): Promise<void> {
  const group = sent.chat.server === 'g.us' ? phone.server.groups.find(sent.chat.user) : undefined;
  const message = device.account === phone.account ? deviceSent(sent.chat, sent.message) : sent.message;
  const key = group && phone.senderKeys.get(ownKeyName(phone, group));
  const full = key ? { ...message, senderKeyDistributionMessage: distributionFor(sent.chat, key) } : message;
  const enc = await encryptedFor(phone, device, full, { count: String(count) });
  const target = group ? memberJid(group, device.account, device.id) : like(sent.chat, device);
  dispatch(phone, sent, group ? sent.chat : target, [enc], group ? { participant: target } : { recipient: sent.chat });
}

function dispatch(
  phone: Phone,
  sent: SentMessage,
  to: Jid,
  content: readonly BinaryNode[],
  extra: Readonly<Record<string, Jid>> = {},
): void {
  phone.server.changed();
  const attrs = { id: sent.id, to, type: sent.type ?? 'text', edit: sent.edit, ...extra };
  routeMessage(phone.server, primaryOf(phone.account), node('message', attrs, content), nowSeconds());
}

async function directContent(phone: Phone, { chat, message }: Sending): Promise<readonly BinaryNode[]> {
  const partner = phone.server.accounts.find(chat);
  if (!partner) throw new NotFound('nobody has this number');
  const entries: BinaryNode[] = [];
  if (partner !== phone.account) entries.push(...(await entriesFor(phone, chat, partner, message)));
  entries.push(...(await entriesFor(phone, chat, phone.account, deviceSent(chat, message))));
  return [node('participants', {}, entries)];
}

async function entriesFor(
  phone: Phone,
  chat: Jid,
  account: Account,
  message: proto.IMessage,
): Promise<readonly BinaryNode[]> {
  const entries: BinaryNode[] = [];
  for (const device of account.devices.values()) {
    if (device.account === phone.account && device.id === 0) continue;
    entries.push(node('to', { jid: like(chat, device) }, [await encryptedFor(phone, device, message)]));
  }
  return entries;
}

async function groupContent(phone: Phone, { chat, message }: Sending): Promise<readonly BinaryNode[]> {
  const group = phone.server.groups.find(chat.user);
  if (!group?.members.has(phone.account)) throw new NotFound('the phone is not a member of this group');
  const devices = [...group.members.keys()].flatMap((account) => [...account.devices.values()]);
  const others = devices.filter((device) => device !== primaryOf(phone.account));
  const key = ownKey(phone, group, new Set(others.map(deviceName)));
  const holders = phone.distributed.get(group.id) ?? new Set<string>();
  phone.distributed.set(group.id, holders);
  const entries: BinaryNode[] = [];
  for (const device of others) {
    if (holders.has(deviceName(device))) continue;
    const enc = await encryptedFor(phone, device, { senderKeyDistributionMessage: distributionFor(chat, key) });
    entries.push(node('to', { jid: memberJid(group, device.account, device.id) }, [enc]));
    holders.add(deviceName(device));
  }
  const body = encryptWithSenderKey(key, pad(message));
  return [node('participants', {}, entries), node('enc', { v: '2', type: 'skmsg' }, body)];
}

/** The phone's chain for a group: a new one when somebody who holds the old one has left. */
function ownKey(phone: Phone, group: Group, present: ReadonlySet<string>): SenderKey {
  const name = ownKeyName(phone, group);
  const holders = phone.distributed.get(group.id);
  const left = [...(holders ?? [])].some((holder) => !present.has(holder));
  const known = left ? undefined : phone.senderKeys.get(name);
  if (known) return known;
  holders?.clear();
  const key = newSenderKey();
  phone.senderKeys.set(name, key);
  return key;
}

const ownKeyName = (phone: Phone, group: Group): string => `own ${phone.account.lid} ${group.id}`;

const distributionFor = (chat: Jid, key: SenderKey): proto.Message.ISenderKeyDistributionMessage => ({
  groupId: formatJid(chat),
  axolotlSenderKeyDistributionMessage: distributionOf(key),
});

const deviceSent = (chat: Jid, message: proto.IMessage): proto.IMessage => ({
  deviceSentMessage: { destinationJid: formatJid(chat), message },
});

/** Encrypts for one device, opening a session with a fresh bundle when there is none. */
export async function encryptedFor(
  phone: Phone,
  device: Device,
  message: proto.IMessage,
  attrs: Readonly<Record<string, string>> = {},
): Promise<BinaryNode> {
  if (!phone.store.hasSession(device)) await phone.store.openSession(device, takeBundle(phone.server, device));
  const { type, body } = await phone.store.encrypt(device, pad(message));
  return node('enc', { v: '2', type, ...attrs }, body);
}

const like = (chat: Jid, { account, id }: Device): Jid =>
  chat.server === 'lid' ? jid(account.lid, 'lid', id) : jid(account.phone, 's.whatsapp.net', id);
