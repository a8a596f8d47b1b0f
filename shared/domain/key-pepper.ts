import { createHmac } from 'node:crypto';
import { apiKeyForm, keyId, makeApiKey } from './api-key.ts';

const LEAST_LENGTH = 20;
const UNIQUE_LENGTH = 26;

/**
 * The installation's secret under which keys are hashed. Whoever has the table of keys without it can neither use a key
 * nor try guesses; without the table it opens nothing.
 */
export class KeyPepper {
  readonly #secret: string;

  /** @throws RangeError when it could be guessed */
  constructor(secret: string) {
    if (secret.length < LEAST_LENGTH) throw new RangeError(`The pepper has fewer than ${LEAST_LENGTH} characters`);
    this.#secret = secret;
  }

  /** Id of the row in which a key would be; undefined when no key has this form. */
  idOf(key: string): string | undefined {
    const form = apiKeyForm(key);
    if (form.kind === 'own') return form.id;
    if (form.kind === 'broken') return undefined;
    return keyId(this.#mac('id', key).toString('hex').slice(0, UNIQUE_LENGTH));
  }

  /** What is stored of a key: HMAC-SHA256, hex. Keys are long and random, so a fast hash is enough; and who does not know the pepper learns nothing from how long a comparison takes. */
  hash(key: string): string {
    return this.#mac('hash', key).toString('hex');
  }

  /** Id of the one key that a session has for an action. */
  derivedId(session: string, incarnation: string, action: string): string {
    return keyId(this.#mac('derived-id', session, incarnation, action).toString('hex').slice(0, UNIQUE_LENGTH));
  }

  /** A key that can be told again from its row: of the id and a random `nonce`, and of nothing else that is stored. */
  derivedKey(id: string, nonce: string): string {
    return makeApiKey(id, this.#mac('derived-key', id, nonce));
  }

  #mac(...parts: readonly string[]): Buffer {
    return createHmac('sha256', this.#secret).update(JSON.stringify(parts)).digest();
  }
}
