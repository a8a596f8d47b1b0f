import { generateKeyPair, keyPairOf } from './curve25519.ts';
import { certChain, certificate, type ServerIdentity } from './server-identity.ts';

/** What can be wrong with the certificates of somebody who stands between a client and WhatsApp. */
export const IDENTITY_FLAWS = [
  /** The whole chain hangs from another root. */
  'root',
  'root-serial',
  /** The server's certificate is signed by somebody else than the one above it. */
  'issuer',
  'issuer-serial',
  /** The chain is WhatsApp's own, copied, and the server's key another. */
  'key',
  'expired',
  'expired-issuer',
  'not-yet-valid',
  'unreadable',
] as const;
export type IdentityFlaw = (typeof IDENTITY_FLAWS)[number];

const HOUR_SECONDS = 60 * 60;
const OTHER_SERIAL = 7;

/** The identity with one thing wrong in its certificates and everything else right. */
export function falseIdentity(identity: ServerIdentity, flaw: IdentityFlaw): ServerIdentity {
  if (flaw === 'key') return { ...identity, staticKeyPair: generateKeyPair() };
  if (flaw === 'unreadable') return { ...identity, certChain: Buffer.alloc(64, 0xff) };
  const { root, intermediate } = identity.toJSON();
  const issuer = keyPairOf(Buffer.from(intermediate, 'base64'));
  const top = flaw === 'root' ? generateKeyPair() : keyPairOf(Buffer.from(root, 'base64'));
  const signer = flaw === 'issuer' ? generateKeyPair() : issuer;
  const now = Math.floor(Date.now() / 1000);
  const ended = { notAfter: now - HOUR_SECONDS };
  return {
    ...identity,
    certChain: certChain(
      certificate(top, {
        serial: 1,
        issuerSerial: flaw === 'root-serial' ? OTHER_SERIAL : 0,
        key: issuer.publicKey,
        ...(flaw === 'expired-issuer' && ended),
      }),
      certificate(signer, {
        serial: 2,
        issuerSerial: flaw === 'issuer-serial' ? OTHER_SERIAL : 1,
        key: identity.staticKeyPair.publicKey,
        ...(flaw === 'expired' && ended),
        ...(flaw === 'not-yet-valid' && { notBefore: now + HOUR_SECONDS }),
      }),
    ),
  };
}
