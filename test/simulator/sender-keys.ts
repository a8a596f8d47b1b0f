import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, randomInt } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { generateKeyPair, sign, verify } from './wire/xeddsa.ts';

/** The chain of one sender in one group; the private half of the signing key only for our own. */
export interface SenderKey {
  readonly id: number;
  iteration: number;
  chainKey: Buffer;
  readonly signingKey: Buffer;
  readonly signingPrivateKey?: Buffer;
  /** Message seeds of iterations that were skipped, by iteration. */
  readonly skipped: Map<number, Buffer>;
}

const VERSION = Buffer.from([0x33]);
const KEY_TYPE = Buffer.from([5]);
const SIGNATURE_BYTES = 64;
const MAX_SKIPPED = 2000;

const derive = (chainKey: Buffer, seed: number): Buffer =>
  createHmac('sha256', chainKey)
    .update(Buffer.from([seed]))
    .digest();

export function newSenderKey(): SenderKey {
  const { publicKey, privateKey } = generateKeyPair();
  return {
    id: randomInt(1, 0x7fffffff),
    iteration: 0,
    chainKey: randomBytes(32),
    signingKey: publicKey,
    signingPrivateKey: privateKey,
    skipped: new Map(),
  };
}

/** The message that lets a device read from the chain's present position on. */
export function distributionOf(key: SenderKey): Buffer {
  const message = proto.SenderKeyDistributionMessage.encode({
    id: key.id,
    iteration: key.iteration,
    chainKey: key.chainKey,
    signingKey: Buffer.concat([KEY_TYPE, key.signingKey]),
  }).finish();
  return Buffer.concat([VERSION, message]);
}

export function readDistribution(message: Uint8Array): SenderKey {
  const { id, iteration, chainKey, signingKey } = proto.SenderKeyDistributionMessage.decode(message.subarray(1));
  if (!chainKey || !signingKey) throw new Error('a sender key distribution lacks its keys');
  return {
    id: id ?? 0,
    iteration: iteration ?? 0,
    chainKey: Buffer.from(chainKey),
    signingKey: Buffer.from(signingKey).subarray(-32),
    skipped: new Map(),
  };
}

export function encryptWithSenderKey(key: SenderKey, plaintext: Buffer): Buffer {
  if (!key.signingPrivateKey) throw new Error("somebody else's sender key cannot encrypt");
  const { iv, cipherKey } = messageKeys(derive(key.chainKey, 1));
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const body = proto.SenderKeyMessage.encode({ id: key.id, iteration: key.iteration, ciphertext }).finish();
  const signed = Buffer.concat([VERSION, body]);
  key.chainKey = derive(key.chainKey, 2);
  key.iteration += 1;
  return Buffer.concat([signed, sign(key.signingPrivateKey, signed)]);
}

/** The id of the chain a group ciphertext belongs to. */
export function senderKeyIdOf(message: Buffer): number {
  return proto.SenderKeyMessage.decode(message.subarray(1, -SIGNATURE_BYTES)).id ?? 0;
}

/** @throws Error when the signature is wrong or the message has been read before. */
export function decryptWithSenderKey(key: SenderKey, message: Buffer): Buffer {
  const signed = message.subarray(0, -SIGNATURE_BYTES);
  if (!verify(key.signingKey, signed, message.subarray(-SIGNATURE_BYTES))) {
    throw new Error('the signature of a group message is wrong');
  }
  const { iteration, ciphertext } = proto.SenderKeyMessage.decode(signed.subarray(1));
  const { iv, cipherKey } = messageKeys(seedFor(key, iteration ?? 0));
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv);
  return Buffer.concat([decipher.update(ciphertext ?? Buffer.alloc(0)), decipher.final()]);
}

function seedFor(key: SenderKey, iteration: number): Buffer {
  if (iteration < key.iteration) {
    const kept = key.skipped.get(iteration);
    if (!kept) throw new Error('a group message was read before');
    key.skipped.delete(iteration);
    return kept;
  }
  if (iteration - key.iteration > MAX_SKIPPED) throw new Error('a group message is too far ahead');
  while (key.iteration < iteration) {
    key.skipped.set(key.iteration, derive(key.chainKey, 1));
    key.chainKey = derive(key.chainKey, 2);
    key.iteration += 1;
  }
  const seed = derive(key.chainKey, 1);
  key.chainKey = derive(key.chainKey, 2);
  key.iteration += 1;
  return seed;
}

function messageKeys(seed: Buffer): { iv: Buffer; cipherKey: Buffer } {
  const keys = Buffer.from(hkdfSync('sha256', seed, Buffer.alloc(32), 'WhisperGroup', 48));
  return { iv: keys.subarray(0, 16), cipherKey: keys.subarray(16) };
}
