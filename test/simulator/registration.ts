import { randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { type Account, type Device, lidJid, nowSeconds, pnJid, type SignedPreKey } from './accounts.ts';
import type { ClientSession } from './client-session.ts';
import { makeDeviceIdentity } from './device-identity.ts';
import { announceDevices } from './device-list.ts';
import { IqError } from './iq-router.ts';
import type { Server } from './server.ts';
import { attrText, type BinaryNode, bytes, child, node, requireChild } from './wire/binary-node.ts';
import { verify } from './wire/xeddsa.ts';

/** A client that wants to be linked: what it said about itself before anyone scanned its code. */
export interface Registration {
  readonly session: ClientSession;
  readonly refs: readonly string[];
  readonly noiseKey: Buffer;
  readonly identityKey: Buffer;
  readonly registrationId: number;
  readonly signedPreKey: SignedPreKey;
  readonly pushName: string | undefined;
}

/** Where a client ended up after its code was scanned. */
export interface Linked {
  readonly phone: string;
  readonly lid: string;
  readonly device: number;
}

const REFS = 6;
const DEVICE_SIGNATURE = Buffer.from([6, 1]);
const KEY_TYPE = Buffer.from([5]);
/** How long a paired client has to answer before the socket is closed under it. */
const ANSWER_DEADLINE_MS = 10_000;

/** Checks what the client says about its keys and offers it the references its QR codes are made of. */
export function startRegistration(server: Server, session: ClientSession): void {
  const data = session.connection.clientPayload.devicePairingData;
  if (!data?.eIdent || !data.eSkeyVal || !data.eSkeySig || !data.eRegid || !data.eSkeyId) {
    server.stats.violation('registration: devicePairingData is incomplete');
    session.end(node('failure', { reason: '400' }));
    return;
  }
  const signedPreKey = {
    id: Buffer.from(data.eSkeyId).readUIntBE(0, 3),
    publicKey: Buffer.from(data.eSkeyVal),
    signature: Buffer.from(data.eSkeySig),
  };
  const identityKey = Buffer.from(data.eIdent);
  checkSignedPreKey(server, 'registration', identityKey, signedPreKey);
  const registration: Registration = {
    session,
    refs: Array.from({ length: REFS }, () => `2@${randomBytes(33).toString('base64')}`),
    noiseKey: Buffer.from(session.connection.clientStaticKey),
    identityKey,
    registrationId: Buffer.from(data.eRegid).readUInt32BE(0),
    signedPreKey,
    pushName: session.connection.clientPayload.pushName ?? undefined,
  };
  server.stats.registrations += 1;
  session.registration = registration;
  for (const ref of registration.refs) server.registrations.set(ref, registration);
  const refNodes = registration.refs.map((ref) => node('ref', {}, Buffer.from(ref)));
  session.request({ xmlns: 'md' }, [node('pair-device', {}, refNodes)], () => undefined);
}

/** Counts a signed prekey whose signature its identity key did not make. */
export function checkSignedPreKey(server: Server, where: string, identityKey: Buffer, key: SignedPreKey): void {
  if (!verify(identityKey, Buffer.concat([KEY_TYPE, key.publicKey]), key.signature)) {
    server.stats.violation(`${where}: the signed prekey's signature is wrong`);
  }
}

/** Forgets a registration whose socket is gone or whose client has been linked. */
export function endRegistration(server: Server, registration: Registration): void {
  for (const ref of registration.refs) server.registrations.delete(ref);
  registration.session.registration = undefined;
}

/** A code the phone cannot accept: unknown, outdated or not a linking code at all. */
export class ScanRejected extends Error {}

/**
 * Reads a QR text, with or without the `https://wa.me/…#` in front.
 * @throws ScanRejected when it is no linking code or nobody is waiting behind it.
 */
export function findScanned(server: Server, text: string): { registration: Registration; advSecret: Buffer } {
  const fields = text
    .trim()
    .replace(/^https:[^#]*#/, '')
    .split(',');
  const [ref = '', noiseKey = '', identityKey = '', advSecret = ''] = fields;
  const registration = server.registrations.get(ref);
  if (!registration) throw new ScanRejected('no client is waiting behind this code');
  const same = (key: Buffer, base64: string): boolean => key.equals(Buffer.from(base64, 'base64'));
  if (!same(registration.noiseKey, noiseKey) || !same(registration.identityKey, identityKey)) {
    throw new ScanRejected('the keys in the code are not those of the client behind it');
  }
  const secret = Buffer.from(advSecret, 'base64');
  if (secret.length !== 32) throw new ScanRejected('the code has no 32 byte secret');
  return { registration, advSecret: secret };
}

/**
 * Links the client to the account: signed identity, its answer checked, the device created, restart asked for.
 * @throws ScanRejected when the client refuses or does not answer.
 */
export async function link(
  server: Server,
  registration: Registration,
  account: Account,
  advSecret: Buffer,
): Promise<Linked> {
  const { session, identityKey } = registration;
  // A code is good for one scan.
  for (const ref of registration.refs) server.registrations.delete(ref);
  const deviceId = account.nextDevice;
  account.nextDevice += 1;
  const { details, body } = makeDeviceIdentity({
    registrationId: registration.registrationId,
    keyIndex: deviceId,
    identityKey,
    accountKeys: account.identity,
    advSecret,
    flaw: server.faults.strike('false-pairing', { phone: account.phone, device: deviceId })?.pairing,
  });
  const answer = await answerTo(session, server, [
    node('pair-success', {}, [
      node('device-identity', {}, body),
      node('platform', { name: 'android' }),
      node('device', { jid: pnJid(account, deviceId), lid: lidJid(account, deviceId) }),
    ]),
  ]);
  if (attrText(answer, 'type') !== 'result') throw new ScanRejected('the client refused the pairing');
  checkDeviceSignature(server, answer, details, identityKey, account);
  const device: Device = {
    account,
    id: deviceId,
    identityKey,
    registrationId: registration.registrationId,
    signedPreKey: registration.signedPreKey,
    noiseKey: registration.noiseKey,
    preKeys: new Map(),
    pending: new Map(),
    introduced: false,
  };
  account.devices.set(deviceId, device);
  endRegistration(server, registration);
  announceDevices(server, account, 'add', device);
  server.changed();
  session.end(node('stream:error', { code: '515' }));
  return { phone: account.phone, lid: account.lid, device: deviceId };
}

function answerTo(session: ClientSession, server: Server, content: readonly BinaryNode[]): Promise<BinaryNode> {
  return new Promise((resolve, reject) => {
    session.request({ xmlns: 'md', t: String(nowSeconds()) }, content, resolve);
    server.later(ANSWER_DEADLINE_MS, () => reject(new ScanRejected('the client did not answer the pairing')));
  });
}

function checkDeviceSignature(
  server: Server,
  answer: BinaryNode,
  details: Buffer,
  identityKey: Buffer,
  account: Account,
): void {
  const identityNode = child(requireChild(answer, 'pair-device-sign'), 'device-identity');
  const encoded = identityNode && bytes(identityNode);
  if (!encoded) {
    server.stats.violation('pair-device-sign: no device identity');
    return;
  }
  const identity = proto.ADVSignedDeviceIdentity.decode(encoded);
  const signature = Buffer.from(identity.deviceSignature ?? []);
  const message = Buffer.concat([DEVICE_SIGNATURE, details, identityKey, account.identity.publicKey]);
  if (signature.length !== 64 || !verify(identityKey, message, signature)) {
    server.stats.violation('pair-device-sign: the device signature is wrong');
  }
  if (identity.accountSignatureKey?.length) {
    server.stats.violation('pair-device-sign: the account signature key must be left out');
  }
}

/** The iq that ends a link from the client's side. */
export function requireOwnDevice(device: Device, named: Device | undefined): Device {
  if (!named || named.account !== device.account || named.id === 0) throw new IqError(404, 'item-not-found');
  return named;
}
