import { createHash } from 'node:crypto';
import { type Account, type Device, lidJid, nowSeconds, pnJid } from './accounts.ts';
import { deliver } from './delivery.ts';
import type { Server } from './server.ts';
import { type BinaryNode, node } from './wire/binary-node.ts';

/** Tells the account's other clients, and everybody who has asked for its devices, that one came or went. */
export function announceDevices(server: Server, account: Account, change: 'add' | 'remove', device: Device): void {
  const recipients = new Set<Device>(account.deviceListWatchers);
  for (const own of account.devices.values()) recipients.add(own);
  recipients.delete(device);
  for (const recipient of recipients) {
    if (recipient.id === 0) continue;
    const entry = node('device', {
      jid: pnJid(account, device.id),
      'key-index': change === 'add' ? String(device.id) : undefined,
    });
    deliver(
      server,
      recipient,
      node(
        'notification',
        { from: pnJid(account), lid: lidJid(account), type: 'devices', id: server.nextId(), t: String(nowSeconds()) },
        [node(change, { device_hash: participantHash(account) }, [entry])],
      ),
    );
  }
}

/** Version 2 of the participant hash: over the sorted device addresses. */
function participantHash(account: Account): string {
  const addresses = [...account.devices.keys()].map((id) => `${account.phone}.0:${id}@s.whatsapp.net`).sort();
  return `2:${createHash('sha256').update(addresses.join('')).digest('base64').slice(0, 6)}`;
}

/** Cuts a device off: it can neither log in nor be written to any more. */
export function removeDevice(server: Server, device: Device): void {
  const { account, session } = device;
  if (!account.devices.delete(device.id)) return;
  device.pending.clear();
  for (const other of server.accounts.all()) {
    other.deviceListWatchers.delete(device);
    other.presenceWatchers.delete(device);
  }
  announceDevices(server, account, 'remove', device);
  server.changed();
  session?.end(removedError());
}

const removedError = (): BinaryNode =>
  node('stream:error', { code: '401' }, [node('conflict', { type: 'device_removed' })]);
