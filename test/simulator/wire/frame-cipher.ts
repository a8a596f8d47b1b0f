import { createCipheriv, createDecipheriv } from 'node:crypto';
import { WireError } from './wire-error.ts';

const ALGORITHM = 'aes-256-gcm';
const TAG_BYTES = 16;
const NO_DATA = Buffer.alloc(0);

/** AES-256-GCM with a counter as nonce, for one key and one direction. */
export class FrameCipher {
  readonly #key: Buffer;
  #counter = 0;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** Ciphertext with its tag at the end. */
  encrypt(plaintext: Buffer, additionalData: Buffer = NO_DATA): Buffer {
    const cipher = createCipheriv(ALGORITHM, this.#key, this.#nextNonce()).setAAD(additionalData);
    return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws WireError when the tag is missing or wrong. */
  decrypt(sealed: Buffer, additionalData: Buffer = NO_DATA): Buffer {
    if (sealed.length < TAG_BYTES) throw new WireError('a ciphertext is shorter than its tag');
    const options = { authTagLength: TAG_BYTES };
    const decipher = createDecipheriv(ALGORITHM, this.#key, this.#nextNonce(), options).setAAD(additionalData);
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      throw new WireError('a ciphertext has a wrong authentication tag', { cause });
    }
  }

  #nextNonce(): Buffer {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(this.#counter, 8);
    this.#counter += 1;
    return nonce;
  }
}
