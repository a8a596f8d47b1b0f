import { type Account, addressLike, type Device, nowSeconds } from './accounts.ts';
import type { ClientSession } from './client-session.ts';
import { deliverLive } from './delivery.ts';
import { memberJid } from './group-nodes.ts';
import type { Server } from './server.ts';
import { attrText, type BinaryNode, children, node, requireJid } from './wire/binary-node.ts';
import type { Jid } from './wire/jid.ts';

/** `<presence>` of a client: its own state, or the wish to hear of somebody else's. */
export function acceptPresence(server: Server, session: ClientSession, device: Device, presence: BinaryNode): void {
  const type = attrText(presence, 'type') ?? 'available';
  switch (type) {
    case 'available':
    case 'unavailable':
      learnName(server, device, attrText(presence, 'name'));
      setAvailable(server, session, device.account, type === 'available');
      return;
    case 'subscribe':
      subscribe(server, device, requireJid(presence, 'to'));
      return;
    case 'unsubscribe':
      server.accounts.find(requireJid(presence, 'to'))?.presenceWatchers.delete(device);
      return;
    default:
      server.stats.unknownStanza(`presence ${type}`);
  }
}

/** Remembers the push name a client shows; an `@` would arrive as an address at other clients. */
export function learnName(server: Server, device: Device, name: string | null | undefined): void {
  const shown = name?.replaceAll('@', '');
  if (!shown || device.account.name === shown) return;
  device.account.name = shown;
  server.changed();
}

/** An account whose last connected client has gone is shown as unavailable. */
export function wentOffline(server: Server, account: Account): void {
  if (!isAvailable(account)) announcePresence(server, account);
}

/** `<chatstate>` of a client, passed on to the chat; nobody stores it. */
export function routeChatState(server: Server, by: Device, chatState: BinaryNode): void {
  const to = requireJid(chatState, 'to');
  const state = children(chatState)[0];
  if (!state) return;
  const group = to.server === 'g.us' ? server.groups.find(to.user) : undefined;
  if (group) {
    const stanza = node('chatstate', { from: to, participant: memberJid(group, by.account) }, [state]);
    for (const account of group.members.keys()) if (account !== by.account) toAll(server, account, stanza);
    return;
  }
  const account = server.accounts.find(to);
  if (account) toAll(server, account, node('chatstate', { from: addressLike(to, by.account) }, [state]));
}

/** Tells everybody who has subscribed what the account looks like now. */
export function announcePresence(server: Server, account: Account): void {
  for (const [watcher, asked] of account.presenceWatchers) {
    deliverLive(server, watcher, presenceOf(account, addressLike(asked, account)));
  }
}

function setAvailable(server: Server, session: ClientSession, account: Account, available: boolean): void {
  if (session.available === available) return;
  session.available = available;
  account.lastSeen = nowSeconds();
  announcePresence(server, account);
}

function subscribe(server: Server, device: Device, to: Jid): void {
  const account = server.accounts.find(to);
  if (!account) return;
  account.presenceWatchers.set(device, to);
  deliverLive(server, device, presenceOf(account, addressLike(to, account)));
}

function presenceOf(account: Account, from: Jid): BinaryNode {
  return isAvailable(account)
    ? node('presence', { from })
    : node('presence', { from, type: 'unavailable', last: String(account.lastSeen) });
}

function isAvailable(account: Account): boolean {
  if (account.simulated.available) return true;
  for (const device of account.devices.values()) if (device.session?.available) return true;
  return false;
}

function toAll(server: Server, account: Account, stanza: BinaryNode): void {
  for (const device of account.devices.values()) deliverLive(server, device, stanza);
}
