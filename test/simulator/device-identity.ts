import { createHmac, randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { nowSeconds } from './accounts.ts';
import { generateKeyPair, type KeyPair } from './wire/curve25519.ts';
import { sign } from './wire/xeddsa.ts';

const ACCOUNT_SIGNATURE = Buffer.from([6, 0]);
/** The same for what Meta hosts. */
const HOSTED_ACCOUNT_SIGNATURE = Buffer.from([6, 5]);
const { HOSTED } = proto.ADVEncryptionType;

/** What can be wrong with the identity that a phone gives to the client it links. */
export const PAIRING_FLAWS = [
  /** Made without the secret in the code: by somebody who has not seen it. */
  'hmac',
  /** Signed by another key than the account's. */
  'signature',
  /** Signed for another client's key. */
  'client',
  'unreadable',
] as const;
export type PairingFlaw = (typeof PAIRING_FLAWS)[number];

export interface DeviceIdentityRequest {
  readonly registrationId: number;
  readonly keyIndex: number;
  /** The client's. */
  readonly identityKey: Buffer;
  /** The account's. */
  readonly accountKeys: KeyPair;
  readonly advSecret: Buffer;
  readonly hosted?: { readonly account: boolean; readonly device: boolean };
  readonly flaw?: PairingFlaw | undefined;
}

/** What the phone says about a client that it links: ADVDeviceIdentity, signed by the account, under an HMAC. */
export function makeDeviceIdentity(request: DeviceIdentityRequest): {
  readonly details: Buffer;
  readonly body: Buffer;
} {
  const {
    registrationId,
    keyIndex,
    accountKeys,
    advSecret,
    flaw,
    hosted = { account: false, device: false },
  } = request;
  const details = Buffer.from(
    proto.ADVDeviceIdentity.encode({
      rawId: registrationId,
      timestamp: nowSeconds(),
      keyIndex,
      ...(hosted.device && { deviceType: HOSTED }),
    }).finish(),
  );
  const identityKey = flaw === 'client' ? generateKeyPair().publicKey : request.identityKey;
  const signer = flaw === 'signature' ? generateKeyPair() : accountKeys;
  const prefix = hosted.device ? HOSTED_ACCOUNT_SIGNATURE : ACCOUNT_SIGNATURE;
  const signed = proto.ADVSignedDeviceIdentity.encode({
    details,
    accountSignatureKey: accountKeys.publicKey,
    accountSignature: sign(signer.privateKey, Buffer.concat([prefix, details, identityKey])),
  }).finish();
  const hmac = createHmac('sha256', flaw === 'hmac' ? randomBytes(32) : advSecret)
    .update(hosted.account ? HOSTED_ACCOUNT_SIGNATURE : '')
    .update(signed)
    .digest();
  const sealed = { details: signed, hmac, ...(hosted.account && { accountType: HOSTED }) };
  const body = Buffer.from(proto.ADVSignedDeviceIdentityHMAC.encode(sealed).finish());
  return { details, body: flaw === 'unreadable' ? Buffer.alloc(body.length, 0xff) : body };
}
