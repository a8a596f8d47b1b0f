import { randomBytes } from 'node:crypto';
import { type Account, type Device, lidJid, nowSeconds, pnJid } from './accounts.ts';
import { deliver } from './delivery.ts';
import { removeDevice } from './device-list.ts';
import { groupJid, isAdmin } from './groups.ts';
import { IqError, type IqTable } from './iq-router.ts';
import { storeMedia } from './media.ts';
import { requireOwnDevice } from './registration.ts';
import type { Server } from './server.ts';
import { attrJid, attrText, type BinaryNode, bytes, children, node, requireJid } from './wire/binary-node.ts';
import type { Jid } from './wire/jid.ts';

/** Privacy categories and what they are until somebody changes them. */
const PRIVACY_DEFAULTS: Readonly<Record<string, string>> = {
  last: 'all',
  online: 'all',
  profile: 'all',
  status: 'all',
  readreceipts: 'all',
  groupadd: 'all',
  calladd: 'all',
  messages: 'all',
  defense: 'off',
  stickers: 'contacts',
};

export const accountIqs: IqTable = {
  'md set remove-companion-device': ({ server, device, child: removal }) => {
    const named = attrJid(removal, 'jid');
    const leaving = requireOwnDevice(device, named && server.accounts.findDevice(named));
    // The answer goes out first: the device's stream ends with its removal.
    setImmediate(() => removeDevice(server, leaving));
    return undefined;
  },
  'blocklist get *': ({ device }) => [
    node(
      'list',
      { dhash: '0', matched: 'false' },
      [...device.account.blocked].map((account) => node('item', { jid: pnJid(account) })),
    ),
  ],
  'blocklist set item': ({ server, device, child: item }) => {
    const account = server.accounts.find(requireJid(item, 'jid'));
    if (!account) throw new IqError(404, 'item-not-found');
    const action = attrText(item, 'action');
    if (action === 'block') device.account.blocked.add(account);
    else device.account.blocked.delete(account);
    syncCompanions(server, device, node('blocklist', {}, [node('item', { jid: pnJid(account), action })]));
    return [node('list', { dhash: '0', matched: 'false' }, [node('item', { jid: pnJid(account), action })])];
  },
  'privacy get privacy': ({ device }) => [privacyNode(device.account)],
  'privacy set privacy': ({ server, device, child: privacy }) => {
    for (const category of children(privacy, 'category')) {
      device.account.privacy.set(attrText(category, 'name') ?? '', attrText(category, 'value') ?? '');
    }
    server.changed();
    return [privacyNode(device.account)];
  },
  'privacy set tokens': ({ server, device, child: tokens }) => {
    for (const token of children(tokens, 'token')) trust(server, device.account, requireJid(token, 'jid'), token);
    return [node('tokens')];
  },
  'status set status': ({ server, device, child: status }) => {
    device.account.about = { text: bytes(status)?.toString() ?? '', at: nowSeconds() };
    server.changed();
    return undefined;
  },
  'w:profile:picture get picture': ({ server, iq, child: query }) => {
    const picture = pictureOwner(server, attrJid(iq, 'target') ?? requireJid(iq, 'to'))?.picture;
    if (!picture) throw new IqError(404, 'item-not-found');
    const type = attrText(query, 'type') ?? 'preview';
    const url = `https://${server.mediaHost}${picture.path}`;
    return [node('picture', { id: picture.id, type, url, direct_path: picture.path })];
  },
  'w:profile:picture set picture': async ({ server, device, iq, child: picture }) => {
    const image = bytes(picture);
    if (!image) throw new IqError(400, 'bad-request');
    const owner = writablePictureOwner(server, device, attrJid(iq, 'target'));
    const { directPath } = await storeMedia(server, image);
    const id = String(randomBytes(5).readUIntBE(0, 5));
    owner.picture = { id, path: directPath };
    announcePicture(server, device, attrJid(iq, 'target'), node('set', { id, author: pnJid(device.account) }));
    return [node('picture', { id })];
  },
  'w:profile:picture set *': ({ server, device, iq }) => {
    delete writablePictureOwner(server, device, attrJid(iq, 'target')).picture;
    announcePicture(server, device, attrJid(iq, 'target'), node('delete', { author: pnJid(device.account) }));
    return undefined;
  },
  'disappearing_mode set *': () => undefined,
  'disappearing_mode get *': () => [node('disappearing_mode', { duration: '0', t: '0' })],
};

function privacyNode(account: Account): BinaryNode {
  const values = { ...PRIVACY_DEFAULTS, ...Object.fromEntries(account.privacy) };
  return node(
    'privacy',
    {},
    Object.entries(values).map(([name, value]) => node('category', { name, value })),
  );
}

/** Gives a contact the token with which it may write to the account from now on. */
function trust(server: Server, account: Account, trusted: Jid, token: BinaryNode): void {
  const contact = server.accounts.find(trusted);
  if (!contact) return;
  const secret = randomBytes(16);
  for (const device of contact.devices.values()) {
    if (device.id === 0) continue;
    const given = { jid: pnJid(contact), t: attrText(token, 't') ?? String(nowSeconds()), type: 'trusted_contact' };
    deliver(
      server,
      device,
      node(
        'notification',
        {
          from: pnJid(account),
          sender_lid: lidJid(account),
          type: 'privacy_token',
          id: server.nextId(),
          t: String(nowSeconds()),
        },
        [node('tokens', {}, [node('token', given, secret)])],
      ),
    );
  }
}

/** Tells the account's other clients what one of them has changed. */
function syncCompanions(server: Server, by: Device, change: BinaryNode): void {
  server.changed();
  for (const device of by.account.devices.values()) {
    if (device === by || device.id === 0) continue;
    const attrs = { from: pnJid(by.account), type: 'account_sync', id: server.nextId(), t: String(nowSeconds()) };
    deliver(server, device, node('notification', attrs, [change]));
  }
}

/** Tells a group's members, or everybody who knows the account's devices, about a new or removed picture. */
function announcePicture(server: Server, by: Device, target: Jid | undefined, change: BinaryNode): void {
  server.changed();
  const group = target?.server === 'g.us' ? server.groups.find(target.user) : undefined;
  const audience = group
    ? [...group.members.keys()].flatMap((member) => [...member.devices.values()])
    : [...by.account.devices.values(), ...by.account.deviceListWatchers];
  const from = group ? groupJid(group) : pnJid(by.account);
  for (const device of new Set(audience)) {
    if (device === by || device.id === 0) continue;
    const attrs = { from, type: 'picture', id: server.nextId(), t: String(nowSeconds()) };
    deliver(server, device, node('notification', attrs, [change]));
  }
}

function pictureOwner(server: Server, target: Jid): { picture?: { id: string; path: string } } | undefined {
  return target.server === 'g.us' ? server.groups.find(target.user) : server.accounts.find(target);
}

function writablePictureOwner(
  server: Server,
  device: Device,
  target: Jid | undefined,
): { picture?: { id: string; path: string } } {
  if (target?.server !== 'g.us') return device.account;
  const group = server.groups.find(target.user);
  if (!group) throw new IqError(404, 'item-not-found');
  if (!isAdmin(group, device.account)) throw new IqError(403, 'forbidden');
  return group;
}
