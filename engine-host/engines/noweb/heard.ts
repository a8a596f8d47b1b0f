import { createHash } from 'node:crypto';
import type { StateChange } from '../engine.ts';
import type { MarkedState } from './marked-state.ts';

const PREFIX = 'heard/';
/** Entries that are single values; a full round of them is written once more as one page. */
const SLOTS = 32;
/** 2,016 entries in all: days of an ordinary session, and far more than what can be under way unacknowledged. */
const PAGES = 62;
const HASH = 12;
const ENTRY = 2 * HASH;
const NOTHING = Buffer.alloc(HASH);

/** One decryption: which ciphertext, and which message it gave; none where a stanza has more parts to come. */
export interface HeardEntry {
  readonly ciphertext: Uint8Array;
  readonly message: Uint8Array | undefined;
}

/**
 * The newest ciphertexts and messages of a session, by hash. A ciphertext can be decrypted only once, so one that comes
 * again must be recognised; a message that its sender encrypts anew has another ciphertext and the same id.
 */
export class Heard {
  readonly #slots = Buffer.alloc(SLOTS * ENTRY);
  readonly #pages: (Buffer | undefined)[] = [];
  /** Number of entries ever. */
  #count = 0;

  constructor(state: Pick<MarkedState, 'get' | 'keys'>) {
    for (const key of state.keys(PREFIX)) {
      const value = Buffer.from(state.get(key) ?? []);
      const index = Number(key.slice(PREFIX.length + 1));
      if (key[PREFIX.length] === 'p') this.#pages[index] = value;
      else {
        this.#count = Math.max(this.#count, value.readUInt32LE() + 1);
        value.copy(this.#slots, index * ENTRY, 4);
      }
    }
  }

  hasCiphertext(hash: Uint8Array): boolean {
    return this.#has(hash, 0);
  }

  hasMessage(hash: Uint8Array): boolean {
    return this.#has(hash, HASH);
  }

  /** @returns the changes of state that keep the entry */
  add({ ciphertext, message }: HeardEntry): readonly StateChange[] {
    const number = this.#count;
    this.#count += 1;
    const slot = number % SLOTS;
    const entry = Buffer.concat([ciphertext, message ?? NOTHING]);
    entry.copy(this.#slots, slot * ENTRY);
    const value = Buffer.alloc(4 + ENTRY);
    value.writeUInt32LE(number);
    entry.copy(value, 4);
    const changes: StateChange[] = [{ key: `${PREFIX}s${slot}`, value }];
    if (slot === SLOTS - 1) {
      const page = Math.floor(number / SLOTS) % PAGES;
      this.#pages[page] = Buffer.from(this.#slots);
      changes.push({ key: `${PREFIX}p${page}`, value: this.#slots });
    }
    return changes;
  }

  #has(hash: Uint8Array, offset: number): boolean {
    return [this.#slots, ...this.#pages].some((page) => page !== undefined && contains(page, hash, offset));
  }
}

/** Some hundred kilobytes are searched faster than an index of them would be kept up, and take a tenth of its memory. */
function contains(page: Buffer, hash: Uint8Array, offset: number): boolean {
  for (let at = page.indexOf(hash); at >= 0; at = page.indexOf(hash, at + 1)) {
    if (at % ENTRY === offset) return true;
  }
  return false;
}

/** Short form of SHA-256: nobody gains from two things that look alike here but whoever sent both. */
export function shortHash(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) {
    hash.update(part);
    if (typeof part === 'string') hash.update('\0');
  }
  return hash.digest().subarray(0, HASH);
}
