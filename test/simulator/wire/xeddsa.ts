import { createHash, createPublicKey, randomBytes, verify as verifyEd25519 } from 'node:crypto';
import { edwardsYOfMontgomeryU, encodeBaseMultiple, fromLittleEndian, L, toLittleEndian } from './edwards25519.ts';
import { WireError } from './wire-error.ts';

export { generateKeyPair } from './curve25519.ts';

const ED25519_PUBLIC_KEY_DER = Buffer.from('302a300506032b6570032100', 'hex');
const NONCE_PREFIX = Buffer.concat([Buffer.of(0xfe), Buffer.alloc(31, 0xff)]);
const SIGN_BIT = 0x80;

/**
 * Signs with a Curve25519 key as Signal's clients do: an Ed25519 signature of 64 bytes whose otherwise unused highest bit
 * holds the sign of the Edwards public key.
 */
export function sign(privateKey: Buffer, message: Buffer): Buffer {
  if (privateKey.length !== 32) throw new WireError('a signing key must have 32 bytes');
  const scalar = clamp(privateKey);
  const publicPoint = encodeBaseMultiple(scalar);
  const nonce = hashToScalar(NONCE_PREFIX, toLittleEndian(scalar), message, randomBytes(64));
  const commitment = encodeBaseMultiple(nonce);
  const challenge = hashToScalar(commitment, publicPoint, message);
  const signature = Buffer.concat([commitment, toLittleEndian((nonce + challenge * scalar) % L)]);
  return withSign(signature, signOf(publicPoint));
}

/**
 * Whether `signature` (64 bytes) was made over `message` by the owner of the Curve25519 `publicKey` (32 bytes). The curve
 * work is OpenSSL's and shares nothing with `sign`; wrong lengths and keys off the curve are simply false.
 */
export function verify(publicKey: Buffer, message: Buffer, signature: Buffer): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const edwardsY = edwardsYOfMontgomeryU(publicKey);
  if (!edwardsY) return false;
  const spki = Buffer.concat([ED25519_PUBLIC_KEY_DER, withSign(edwardsY, signOf(signature))]);
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  return verifyEd25519(null, message, key, withSign(signature, 0));
}

function clamp(privateKey: Buffer): bigint {
  return (fromLittleEndian(privateKey) & (2n ** 254n - 8n)) | (2n ** 254n);
}

function hashToScalar(...parts: readonly Buffer[]): bigint {
  return fromLittleEndian(createHash('sha512').update(Buffer.concat(parts)).digest()) % L;
}

function signOf(encoded: Buffer): number {
  return (encoded.at(-1) ?? 0) & SIGN_BIT;
}

function withSign(encoded: Buffer, sign: number): Buffer {
  const copy = Buffer.from(encoded);
  copy[copy.length - 1] = ((copy.at(-1) ?? 0) & ~SIGN_BIT) | sign;
  return copy;
}
