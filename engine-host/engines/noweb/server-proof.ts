import type { KeyPair } from '@whiskeysockets/baileys';
import { checkCertificateChain } from './certificate-chain.ts';
import { type Distrust, type Proof, untrustedServer } from './proof.ts';
import { type ClientHello, openServerHello, readClientHello } from './server-hello.ts';

export interface TrustSettings {
  /** Public key that has to have signed the server's certificates, 32 bytes. */
  readonly rootKey: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Watches a connection's handshake. The client's first frame, which says nothing about it, may leave; the second, which
 * names the account, and all others only after the server has proved that it is WhatsApp's.
 */
export class ServerProof {
  readonly #keyPairs: readonly KeyPair[];
  readonly #settings: TrustSettings;
  readonly #refused: (distrust: Distrust) => void;
  #hello: (ClientHello & { readonly privateKey: Uint8Array }) | undefined;
  #state: 'greeting' | 'waiting' | 'proven' | 'refused' = 'greeting';

  /**
   * @param keyPairs one of which is the connection's ephemeral one
   * @param refused called once: the connection must end, with nothing more sent
   */
  constructor(keyPairs: readonly KeyPair[], settings: TrustSettings, refused: (distrust: Distrust) => void) {
    this.#keyPairs = keyPairs;
    this.#settings = settings;
    this.#refused = refused;
  }

  /** Whether a frame of the client may leave. */
  lets(frame: Uint8Array): boolean {
    if (this.#state === 'greeting') this.#greet(frame);
    else if (this.#state === 'waiting') this.#refuse(untrustedServer('it has not been heard yet'));
    else return this.#state === 'proven';
    return this.#state === 'waiting';
  }

  /** Takes a frame of the server. */
  heard(frame: Uint8Array): void {
    if (this.#state !== 'waiting' || !this.#hello) return;
    const proof = this.#check(frame, this.#hello);
    if (proof.proven) this.#state = 'proven';
    else this.#refuse(proof);
  }

  #greet(frame: Uint8Array): void {
    try {
      const hello = readClientHello(frame);
      const own = this.#keyPairs.find((pair) => Buffer.from(pair.public).equals(hello.ephemeral));
      if (!own) throw new Error('the ephemeral key is not known');
      this.#hello = { ...hello, privateKey: own.private };
      this.#state = 'waiting';
    } catch {
      this.#refuse(untrustedServer('this version of Baileys greets it in a way that cannot be followed'));
    }
  }

  #check(frame: Uint8Array, hello: ClientHello & { readonly privateKey: Uint8Array }): Proof {
    const { rootKey, now } = this.#settings;
    try {
      const { serverKey, chain } = openServerHello(frame, hello, hello.privateKey);
      return checkCertificateChain(chain, { rootKey, serverKey, now: now() });
    } catch {
      return untrustedServer('its part of the handshake cannot be decrypted');
    }
  }

  #refuse(distrust: Distrust): void {
    this.#state = 'refused';
    this.#refused(distrust);
  }
}
