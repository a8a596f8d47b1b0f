import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { NotFoundError } from '../domain/errors.ts';
import type { DataKey, DataKeyProvider } from '../ports/data-keys.ts';
import type { JournalSession } from '../ports/journal-store.ts';

const KEY_BYTES = 32;
const FINGERPRINT_BYTES = 4;
const SALT_BYTES = 12;
/** Random nonces of 96 bits are safe for 2^32 bodies under one key; this stays far below. */
const MOST_USES = 2 ** 28;

/**
 * Data keys derived from a master key that lies in a file, for all sessions of a process the same. A data key's id is a
 * fingerprint of the master key and a random salt.
 */
export class LocalDataKeys implements DataKeyProvider {
  readonly #master: Uint8Array;
  readonly #fingerprint: Buffer;
  #current: DataKey | undefined;
  #uses = 0;

  /** @param master 32 bytes */
  constructor(master: Uint8Array) {
    if (master.length !== KEY_BYTES) throw new RangeError(`A master key has ${KEY_BYTES} bytes, not ${master.length}`);
    this.#master = Uint8Array.from(master);
    this.#fingerprint = createHmac('sha256', master).update('fingerprint').digest().subarray(0, FINGERPRINT_BYTES);
  }

  async current(_session: JournalSession): Promise<DataKey> {
    this.#uses += 1;
    if (this.#current === undefined || this.#uses > MOST_USES) {
      const salt = randomBytes(SALT_BYTES);
      this.#current = { id: Buffer.concat([this.#fingerprint, salt]), key: this.#derive(salt) };
      this.#uses = 1;
    }
    return this.#current;
  }

  async find(_session: JournalSession, id: Uint8Array): Promise<Uint8Array> {
    if (id.length !== FINGERPRINT_BYTES + SALT_BYTES || this.#fingerprint.compare(id, 0, FINGERPRINT_BYTES) !== 0)
      throw new NotFoundError('The state was encrypted under another master key than the one in STATE_KEY_FILE');
    return this.#derive(id.subarray(FINGERPRINT_BYTES));
  }

  /** Nothing is stored of a session's keys. */
  async forget(_session: JournalSession): Promise<void> {}

  #derive(salt: Uint8Array): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#master, salt, 'trunkline data key', KEY_BYTES));
  }
}

/**
 * Reads a master key: 32 bytes in base64.
 * @throws RangeError when the file holds something else; what `readFile` throws
 */
export async function readMasterKey(path: string): Promise<Uint8Array> {
  const text = (await readFile(path, 'utf8')).trim();
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== text)
    throw new RangeError(`${path} does not hold a master key: ${KEY_BYTES} bytes in base64`);
  return bytes;
}
