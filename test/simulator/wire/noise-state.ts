import { createHash, hkdfSync } from 'node:crypto';
import { sharedSecret } from './curve25519.ts';
import { FrameCipher } from './frame-cipher.ts';

const HASH_BYTES = 32;
const NOTHING = Buffer.alloc(0);

/** The symmetric state of a Noise handshake over Curve25519, AES-GCM and SHA-256. */
export class NoiseState {
  #hash: Buffer;
  #chainingKey: Buffer;
  #cipher: FrameCipher;

  constructor(protocolName: string, prologue: Buffer) {
    const name = Buffer.from(protocolName);
    const padded = Buffer.concat([name, Buffer.alloc(Math.max(0, HASH_BYTES - name.length))]);
    this.#hash = padded.length === HASH_BYTES ? padded : sha256(padded);
    this.#chainingKey = this.#hash;
    this.#cipher = new FrameCipher(this.#hash);
    this.mixHash(prologue);
  }

  mixHash(data: Buffer): void {
    this.#hash = sha256(Buffer.concat([this.#hash, data]));
  }

  /** Mixes the agreement of one of our private keys with one of the peer's public keys into the keys. */
  mixKey(privateKey: Buffer, publicKey: Buffer): void {
    const [chainingKey, key] = this.#derive(sharedSecret(privateKey, publicKey));
    this.#chainingKey = chainingKey;
    this.#cipher = new FrameCipher(key);
  }

  encrypt(plaintext: Buffer): Buffer {
    const sealed = this.#cipher.encrypt(plaintext, this.#hash);
    this.mixHash(sealed);
    return sealed;
  }

  /** @throws WireError when the peer used other keys or saw another handshake. */
  decrypt(sealed: Buffer): Buffer {
    const plaintext = this.#cipher.decrypt(sealed, this.#hash);
    this.mixHash(sealed);
    return plaintext;
  }

  /** Ends the handshake: one cipher for each direction. */
  split(): { readonly fromInitiator: FrameCipher; readonly fromResponder: FrameCipher } {
    const [first, second] = this.#derive(NOTHING);
    return { fromInitiator: new FrameCipher(first), fromResponder: new FrameCipher(second) };
  }

  #derive(input: Buffer): [Buffer, Buffer] {
    const keys = Buffer.from(hkdfSync('sha256', input, this.#chainingKey, NOTHING, 2 * HASH_BYTES));
    return [keys.subarray(0, HASH_BYTES), keys.subarray(HASH_BYTES)];
  }
}

function sha256(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}
