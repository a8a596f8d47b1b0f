import { createHmac, timingSafeEqual } from 'node:crypto';
import { type AuthenticationCreds, type BinaryNode, getBinaryNodeChild, proto } from '@whiskeysockets/baileys';
import { isSignedBy } from './native-signatures.ts';
import { PROVEN, type Proof, unprovenPairing } from './proof.ts';

const NOTHING = new Uint8Array();
/** What stands in front of what an account signs. */
const ACCOUNT = Buffer.from([6, 0]);
/** The same for devices that Meta hosts, and in front of what the HMAC of a hosted account is made of. */
const HOSTED_ACCOUNT = Buffer.from([6, 5]);
const { HOSTED } = proto.ADVEncryptionType;

/**
 * Whether a `pair-success` is from the phone that was shown our code: only that phone knows the secret of the HMAC, and
 * it has signed our identity key with the account's.
 */
export function checkPairing(
  stanza: BinaryNode,
  { advSecretKey, signedIdentityKey }: Pick<AuthenticationCreds, 'advSecretKey' | 'signedIdentityKey'>,
): Proof {
  const identity = getBinaryNodeChild(getBinaryNodeChild(stanza, 'pair-success'), 'device-identity')?.content;
  if (!(identity instanceof Uint8Array)) return unprovenPairing('it has no device identity');
  try {
    const { details: sealed = null, hmac = null, accountType } = proto.ADVSignedDeviceIdentityHMAC.decode(identity);
    if (
      !sealed ||
      !hmac ||
      !isMadeWith(advSecretKey, accountType === HOSTED ? HOSTED_ACCOUNT : NOTHING, sealed, hmac)
    ) {
      return unprovenPairing('it was made without the secret in the code');
    }
    const { details, accountSignatureKey, accountSignature } = proto.ADVSignedDeviceIdentity.decode(sealed);
    const { deviceType } = proto.ADVDeviceIdentity.decode(details ?? NOTHING);
    const prefix = deviceType === HOSTED ? HOSTED_ACCOUNT : ACCOUNT;
    const signed = Buffer.concat([prefix, details ?? NOTHING, signedIdentityKey.public]);
    return isSignedBy(accountSignatureKey ?? NOTHING, signed, accountSignature ?? NOTHING)
      ? PROVEN
      : unprovenPairing("it is not signed with the account's key");
  } catch {
    return unprovenPairing('it cannot be read');
  }
}

function isMadeWith(secret: string, prefix: Uint8Array, sealed: Uint8Array, hmac: Uint8Array): boolean {
  const expected = createHmac('sha256', Buffer.from(secret, 'base64')).update(prefix).update(sealed).digest();
  return hmac.length === expected.length && timingSafeEqual(hmac, expected);
}
