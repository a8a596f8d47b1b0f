import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { WireError } from './wire-error.ts';

/** A Curve25519 key pair, both halves as raw 32 bytes (no 0x05 type byte). */
export interface KeyPair {
  readonly privateKey: Buffer;
  readonly publicKey: Buffer;
}

const KEY_BYTES = 32;

// Everything of an RFC 8410 PKCS #8 or SPKI document that stands before the raw key.
const PRIVATE_KEY_DER = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_KEY_DER = Buffer.from('302a300506032b656e032100', 'hex');

export function generateKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(PRIVATE_KEY_DER.length),
    publicKey: rawPublicKey(publicKey),
  };
}

/** Completes a key pair from its private half. */
export function keyPairOf(privateKey: Buffer): KeyPair {
  return { privateKey, publicKey: rawPublicKey(createPublicKey(privateKeyObject(privateKey))) };
}

/**
 * X25519.
 * @throws WireError when a key is not 32 bytes or the result is all zero (a public key of small order).
 */
export function sharedSecret(privateKey: Buffer, publicKey: Buffer): Buffer {
  const ours = privateKeyObject(privateKey);
  const theirs = createPublicKey({ key: derOf(PUBLIC_KEY_DER, publicKey), format: 'der', type: 'spki' });
  try {
    return diffieHellman({ privateKey: ours, publicKey: theirs });
  } catch (cause) {
    throw new WireError('key agreement failed', { cause });
  }
}

function privateKeyObject(raw: Buffer): KeyObject {
  return createPrivateKey({ key: derOf(PRIVATE_KEY_DER, raw), format: 'der', type: 'pkcs8' });
}

function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' }).subarray(PUBLIC_KEY_DER.length);
}

function derOf(prefix: Buffer, raw: Buffer): Buffer {
  if (raw.length !== KEY_BYTES) throw new WireError(`a Curve25519 key has ${raw.length} bytes instead of ${KEY_BYTES}`);
  return Buffer.concat([prefix, raw]);
}
