import { createHash } from 'node:crypto';
import { type Account, type Device, nowSeconds, type SignedPreKey } from './accounts.ts';
import { deliver } from './delivery.ts';
import type { IqRequest, IqTable } from './iq-router.ts';
import { checkSignedPreKey } from './registration.ts';
import type { Server } from './server.ts';
import { type BinaryNode, children, node, requireBytes, requireChild, requireJid } from './wire/binary-node.ts';
import { SERVER_JID } from './wire/jid.ts';
import { generateKeyPair, sign } from './wire/xeddsa.ts';

/** Below this many one-time prekeys the server asks the client for more. */
const LOW_WATER = 5;
const KEY_TYPE = Buffer.from([5]);

/** What another device needs to open a session. */
export interface Bundle {
  readonly registrationId: number;
  readonly identityKey: Buffer;
  readonly signedPreKey: SignedPreKey;
  readonly preKey?: { readonly id: number; readonly publicKey: Buffer };
}

/** Takes a bundle out of a device's stock: the one-time prekey in it is gone for everybody else. */
export function takeBundle(server: Server, device: Device): Bundle {
  const { registrationId, identityKey, signedPreKey } = device;
  const bundle = { registrationId, identityKey, signedPreKey };
  if (device.id === 0) return { ...bundle, preKey: device.account.simulated.freshPreKey() };
  const next = device.preKeys.entries().next();
  if (next.done) return bundle;
  const [id, publicKey] = next.value;
  device.preKeys.delete(id);
  server.changed();
  if (device.preKeys.size === LOW_WATER - 1) {
    const low = { from: SERVER_JID, type: 'encrypt', id: server.nextId(), t: String(nowSeconds()) };
    deliver(server, device, node('notification', low, [node('count', { value: String(device.preKeys.size) })]));
  }
  return { ...bundle, preKey: { id, publicKey } };
}

export const prekeyIqs: IqTable = {
  'encrypt get count': ({ device }) => [node('count', { value: String(device.preKeys.size) })],
  'encrypt set registration': (request) => upload(request),
  'encrypt set identity': (request) => upload(request),
  'encrypt set list': (request) => upload(request),
  'encrypt set rotate': ({ server, device, child }) => {
    const key = readSignedPreKey(requireChild(child, 'skey'));
    checkSignedPreKey(server, 'prekey rotation', device.identityKey, key);
    device.signedPreKey = key;
    server.changed();
    return undefined;
  },
  'encrypt get digest': ({ device }) => [digest(device)],
  'encrypt get key': ({ server, child }) => [
    node(
      'list',
      {},
      children(child, 'user').map((user) => bundleNode(server, user)),
    ),
  ],
};

function upload({ server, device, iq }: IqRequest): undefined {
  const identity = requireBytes(requireChild(iq, 'identity'), 32);
  if (!identity.equals(device.identityKey)) server.stats.violation('prekey upload: not the registered identity key');
  const key = readSignedPreKey(requireChild(iq, 'skey'));
  checkSignedPreKey(server, 'prekey upload', device.identityKey, key);
  device.signedPreKey = key;
  for (const each of children(requireChild(iq, 'list'), 'key')) {
    const id = requireBytes(requireChild(each, 'id'), 3).readUIntBE(0, 3);
    device.preKeys.set(id, requireBytes(requireChild(each, 'value'), 32));
  }
  server.changed();
}

function readSignedPreKey(skey: BinaryNode): SignedPreKey {
  return {
    id: requireBytes(requireChild(skey, 'id'), 3).readUIntBE(0, 3),
    publicKey: requireBytes(requireChild(skey, 'value'), 32),
    signature: requireBytes(requireChild(skey, 'signature'), 64),
  };
}

function digest(device: Device): BinaryNode {
  const ids = [...device.preKeys.keys()];
  const hash = createHash('sha1').update(device.identityKey).update(device.signedPreKey.publicKey);
  hash.update(device.signedPreKey.signature);
  for (const publicKey of device.preKeys.values()) hash.update(publicKey);
  return node('digest', {}, [
    node('registration', {}, uint(device.registrationId, 4)),
    node('type', {}, KEY_TYPE),
    node('identity', {}, device.identityKey),
    signedPreKeyNode(device.signedPreKey),
    node(
      'list',
      {},
      ids.map((id) => node('id', {}, uint(id, 3))),
    ),
    node('hash', {}, hash.digest()),
  ]);
}

function bundleNode(server: Server, user: BinaryNode): BinaryNode {
  const address = requireJid(user, 'jid');
  const device = server.accounts.findDevice(address);
  if (!device) {
    return node('user', { jid: address }, [node('error', { code: '404', text: 'item-not-found' })]);
  }
  const { registrationId, identityKey, signedPreKey, preKey } = takeBundle(server, device);
  const isFalse =
    server.faults.strike('false-prekeys', { phone: device.account.phone, device: device.id }) !== undefined;
  return node('user', { jid: address, t: String(nowSeconds()) }, [
    node('registration', {}, uint(registrationId, 4)),
    node('type', {}, KEY_TYPE),
    node('identity', {}, identityKey),
    signedPreKeyNode(isFalse ? { ...signedPreKey, signature: signatureOfAnother(signedPreKey) } : signedPreKey),
    ...(preKey ? [node('key', {}, [node('id', {}, uint(preKey.id, 3)), node('value', {}, preKey.publicKey)])] : []),
  ]);
}

function signatureOfAnother({ publicKey }: SignedPreKey): Buffer {
  return sign(generateKeyPair().privateKey, Buffer.concat([KEY_TYPE, publicKey]));
}

function signedPreKeyNode(key: SignedPreKey): BinaryNode {
  return node('skey', {}, [
    node('id', {}, uint(key.id, 3)),
    node('value', {}, key.publicKey),
    node('signature', {}, key.signature),
  ]);
}

function uint(value: number, length: number): Buffer {
  const out = Buffer.alloc(length);
  out.writeUIntBE(value, 0, length);
  return out;
}

/** How many one-time prekeys each device of an account has left, for the admin listing. */
export const preKeyCounts = (account: Account): Record<number, number> =>
  Object.fromEntries([...account.devices].map(([id, device]) => [id, device.preKeys.size]));
