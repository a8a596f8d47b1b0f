import { proto } from '@whiskeysockets/baileys';
import * as z from 'zod';
import { generateKeyPair, type KeyPair, keyPairOf } from './curve25519.ts';
import { sign } from './xeddsa.ts';

const DAY_SECONDS = 24 * 60 * 60;
const VALID_DAYS = 825;

/** The three private keys behind a server identity, base64, each 32 bytes. */
export interface ServerIdentityJson {
  readonly root: string;
  readonly intermediate: string;
  readonly static: string;
}

/** Whom a simulated WhatsApp server claims to be in the Noise handshake. */
export interface ServerIdentity {
  /** What a client must trust, 32 bytes. */
  readonly rootPublicKey: Buffer;
  readonly staticKeyPair: KeyPair;
  /** Encoded CertChain: the root signs an intermediate (serial 1), that signs the static key (serial 2). Valid for 825 days. */
  readonly certChain: Buffer;
  /** What `createServerIdentity` needs to make the same identity again, with a fresh validity. */
  toJSON(): ServerIdentityJson;
}

const savedKeys = z.object({ root: key(), intermediate: key(), static: key() });

/** Makes a new identity, or the one whose keys were saved by `toJSON`. */
export function createServerIdentity(saved?: ServerIdentityJson): ServerIdentity {
  const restored = saved && savedKeys.parse(saved);
  const root = restored?.root ?? generateKeyPair();
  const intermediate = restored?.intermediate ?? generateKeyPair();
  const staticKeyPair = restored?.static ?? generateKeyPair();
  return {
    rootPublicKey: root.publicKey,
    staticKeyPair,
    certChain: certChain(
      certificate(root, { serial: 1, issuerSerial: 0, key: intermediate.publicKey }),
      certificate(intermediate, { serial: 2, issuerSerial: 1, key: staticKeyPair.publicKey }),
    ),
    toJSON: () => ({
      root: root.privateKey.toString('base64'),
      intermediate: intermediate.privateKey.toString('base64'),
      static: staticKeyPair.privateKey.toString('base64'),
    }),
  };
}

export interface NoiseCertificate {
  readonly details: Buffer;
  readonly signature: Buffer;
}

export function certChain(intermediate: NoiseCertificate, leaf: NoiseCertificate): Buffer {
  return Buffer.from(proto.CertChain.encode({ intermediate, leaf }).finish());
}

/** Valid from yesterday on for 825 days unless the fields say otherwise. */
export function certificate(issuer: KeyPair, fields: proto.CertChain.NoiseCertificate.IDetails): NoiseCertificate {
  const now = Math.floor(Date.now() / 1000);
  const validity = { notBefore: now - DAY_SECONDS, notAfter: now + VALID_DAYS * DAY_SECONDS };
  const details = Buffer.from(proto.CertChain.NoiseCertificate.Details.encode({ ...validity, ...fields }).finish());
  return { details, signature: sign(issuer.privateKey, details) };
}

function key() {
  return z.base64().transform((text) => keyPairOf(Buffer.from(text, 'base64')));
}
