import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;
/** 62^43 is more than 2^256. */
const SECRET_LENGTH = 43;
const CHECK_BYTES = 4;
const CHECK_LENGTH = 6;
const ID_PREFIX = 'key_id_';
const KEY_PREFIX = 'trunkline';
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID = /^key_id_[a-z0-9]{26}$/;
const KEY = /^trunkline_([a-z0-9]{26})_([A-Za-z0-9]{43})([A-Za-z0-9]{6})$/;

/** @param unique 26 small letters and digits */
export function keyId(unique: string): string {
  const id = `${ID_PREFIX}${unique}`;
  if (!isKeyId(id)) throw new RangeError('A key’s id has 26 small letters and digits behind its prefix');
  return id;
}

export function isKeyId(text: string): boolean {
  return ID.test(text);
}

/**
 * A key: `trunkline_`, what is unique in its id, `_`, 256 bits in 43 characters, and 6 characters by which a scanner for
 * secrets, or whoever has mistyped it, can tell a key from what only looks like one.
 *
 * @param secret 32 bytes. @default random ones
 */
export function makeApiKey(id: string, secret: Uint8Array = randomBytes(SECRET_BYTES)): string {
  if (!isKeyId(id) || secret.length !== SECRET_BYTES) throw new RangeError('A key has an id and a secret of 32 bytes');
  const text = `${KEY_PREFIX}_${id.slice(ID_PREFIX.length)}_${base62(secret, SECRET_LENGTH)}`;
  return text + check(text);
}

/** What can be shown of a key at any time: whose it is, and that something is missing. It opens nothing. */
export function maskedApiKey(id: string): string {
  return `${KEY_PREFIX}_${id.slice(ID_PREFIX.length)}_***`;
}

/** What a key's form says: the id it carries, that it was made elsewhere, or that it cannot be right. */
export type ApiKeyForm =
  | { readonly kind: 'own'; readonly id: string }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'broken' };

export function apiKeyForm(key: string): ApiKeyForm {
  if (!key.startsWith(`${KEY_PREFIX}_`)) return { kind: 'foreign' };
  const unique = KEY.exec(key)?.[1];
  if (unique === undefined || check(key.slice(0, -CHECK_LENGTH)) !== key.slice(-CHECK_LENGTH))
    return { kind: 'broken' };
  return { kind: 'own', id: `${ID_PREFIX}${unique}` };
}

function check(text: string): string {
  return base62(createHash('sha256').update(text).digest().subarray(0, CHECK_BYTES), CHECK_LENGTH);
}

function base62(bytes: Uint8Array, length: number): string {
  let rest = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  while (text.length < length) {
    text = `${ALPHABET[Number(rest % 62n)]}${text}`;
    rest /= 62n;
  }
  return text;
}
