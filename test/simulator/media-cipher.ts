import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** Kinds of media with keys of their own. */
export type MediaKind = 'Image' | 'Video' | 'Audio' | 'Document';

/** An encrypted file and what its message has to say about it. */
export interface EncryptedMedia {
  readonly body: Buffer;
  readonly mediaKey: Buffer;
  readonly fileSha256: Buffer;
  readonly fileEncSha256: Buffer;
}

const MAC_BYTES = 10;

const sha256 = (data: Uint8Array): Buffer => createHash('sha256').update(data).digest();

export function encryptMedia(kind: MediaKind, plaintext: Buffer): EncryptedMedia {
  const mediaKey = randomBytes(32);
  const { iv, cipherKey, macKey } = expand(kind, mediaKey);
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const body = Buffer.concat([ciphertext, mac(macKey, iv, ciphertext)]);
  return { body, mediaKey, fileSha256: sha256(plaintext), fileEncSha256: sha256(body) };
}

/** @throws Error when the file was tampered with or belongs to another key. */
export function decryptMedia(kind: MediaKind, mediaKey: Uint8Array, body: Buffer): Buffer {
  const { iv, cipherKey, macKey } = expand(kind, mediaKey);
  const ciphertext = body.subarray(0, -MAC_BYTES);
  if (!mac(macKey, iv, ciphertext).equals(body.subarray(-MAC_BYTES)))
    throw new Error('the MAC of a media file is wrong');
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
}

function expand(kind: MediaKind, mediaKey: Uint8Array): { iv: Buffer; cipherKey: Buffer; macKey: Buffer } {
  const keys = Buffer.from(hkdfSync('sha256', mediaKey, Buffer.alloc(32), `WhatsApp ${kind} Keys`, 112));
  return { iv: keys.subarray(0, 16), cipherKey: keys.subarray(16, 48), macKey: keys.subarray(48, 80) };
}

function mac(key: Buffer, iv: Buffer, ciphertext: Buffer): Buffer {
  return createHmac('sha256', key).update(iv).update(ciphertext).digest().subarray(0, MAC_BYTES);
}
