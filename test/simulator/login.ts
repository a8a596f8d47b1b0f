import { type Device, lidJid, nowSeconds } from './accounts.ts';
import type { ClientSession } from './client-session.ts';
import { flushOffline } from './delivery.ts';
import type { IqTable } from './iq-router.ts';
import { UNANSWERED } from './iq-router.ts';
import { learnName, wentOffline } from './presence.ts';
import type { Server } from './server.ts';
import { node } from './wire/binary-node.ts';

/** Lets a known device in, evicting its older connection, or turns the client away as the real server does. */
export function logIn(server: Server, session: ClientSession): void {
  const { clientPayload, clientStaticKey } = session.connection;
  const phone = String(clientPayload.username ?? '');
  const id = clientPayload.device ?? 0;
  const refused = server.faults.strike('refuse-login', { phone, device: id });
  if (refused) {
    session.end(node('failure', { reason: String(refused.code ?? 503), location: 'rva' }));
    return;
  }
  const device = id > 0 ? server.accounts.byPhone(phone)?.devices.get(id) : undefined;
  if (!device?.noiseKey?.equals(clientStaticKey)) {
    session.end(node('failure', { reason: '401', location: 'rva' }));
    return;
  }
  if (device.session) {
    const silentMs = Date.now() - device.session.heardAt;
    server.clientLog.note({ kind: 'replaced', phone, device: id, silentMs });
  }
  device.session?.end(node('stream:error', {}, [node('conflict', { type: 'replaced' })]));
  session.bind(device);
  learnName(server, device, clientPayload.pushName);
  server.stats.logins += 1;
  const { account } = device;
  session.send(
    node('success', {
      t: String(nowSeconds()),
      lid: lidJid(account, device.id),
      props: '27',
      location: 'rva',
      creation: String(account.createdAt),
      display_name: account.name || undefined,
    }),
  );
}

/** What has to happen when a logged-in socket closes, whoever closed it. */
export function logOff(server: Server, session: ClientSession): void {
  const { device } = session;
  if (!device) return;
  const current = device.session === session;
  session.unbind();
  device.account.lastSeen = nowSeconds();
  if (current) wentOffline(server, device.account);
}

export const sessionIqs: IqTable = {
  'passive set active': ({ server, session, device }) => {
    // The result has to be on its way before the queue; the router sends it when this handler has returned.
    setImmediate(() => {
      session.active = true;
      flushOffline(server, device);
      session.activeFrom = server.clientLog.place();
      server.clientLog.note({ kind: 'active', phone: device.account.phone, device: device.id });
      if (!device.introduced) {
        device.introduced = true;
        device.account.simulated.introduce(device);
      }
    });
    return undefined;
  },
  'passive set passive': ({ session }) => {
    session.active = false;
    return undefined;
  },
  'w:p get *': ({ server, device }) => ping(server, device),
};

function ping(server: Server, device: Device): typeof UNANSWERED | undefined {
  server.stats.pings += 1;
  const muted = server.faults.strike('mute-pings', { phone: device.account.phone, device: device.id, tag: 'iq' });
  return muted ? UNANSWERED : undefined;
}
