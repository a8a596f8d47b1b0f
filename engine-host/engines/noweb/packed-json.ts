/**
 * A compact form of JSON-like values: bytes stay bytes, text that is base64 of bytes becomes those bytes, and words that
 * occur in every record take one byte. What was packed comes back exactly as it was, also what nobody foresaw.
 *
 * A value is a tag and what belongs to it; lengths and whole numbers are varints (7 bits a byte, lowest first).
 */
export type Packable =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Packable[]
  | { readonly [key: string]: Packable | undefined };

export type Unpacked = null | boolean | number | string | Buffer | Unpacked[] | { [key: string]: Unpacked };

const TAG = {
  null: 0,
  false: 1,
  true: 2,
  natural: 3,
  negative: 4,
  float: 5,
  text: 6,
  word: 7,
  base64: 8,
  bytes: 9,
  list: 10,
  object: 11,
} as const;

/** Their position is what is stored: append only. */
const WORDS = [
  '_sessions',
  'version',
  'v1',
  'registrationId',
  'currentRatchet',
  'ephemeralKeyPair',
  'pubKey',
  'privKey',
  'lastRemoteEphemeralKey',
  'previousCounter',
  'rootKey',
  'indexInfo',
  'baseKey',
  'baseKeyType',
  'closed',
  'used',
  'created',
  'remoteIdentityKey',
  '_chains',
  'chainKey',
  'counter',
  'key',
  'chainType',
  'messageKeys',
  'pendingPreKey',
  'signedKeyId',
  'preKeyId',
  'senderKeyId',
  'senderChainKey',
  'iteration',
  'seed',
  'senderSigningKey',
  'public',
  'private',
  'senderMessageKeys',
  'kind',
  'message',
  'receipt',
  'sent',
  'report',
  'attrs',
  'parts',
  'plain',
  'hash',
  'of',
  'internal',
  'id',
  'ids',
  'from',
  'participant',
  'recipient',
  'type',
  'notify',
  't',
  'category',
  'peer',
  'addressing_mode',
  'lid',
  'pn',
  'text',
  'media',
  'read',
  'played',
  'sender',
  'participant_pn',
  'participant_lid',
  'sender_pn',
  'sender_lid',
  'recipient_pn',
  'recipient_lid',
  'peer_recipient_pn',
  'peer_recipient_lid',
  'jid',
  'timestamp',
  'content',
] as const;
const WORD_INDEX: ReadonlyMap<string, number> = new Map(WORDS.map((word, index) => [word, index]));

/** Shorter base64 is as likely a word of its own, and gains nothing. */
const SHORTEST_BASE64 = 16;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

export function pack(value: Packable): Buffer {
  const chunks: Uint8Array[] = [];
  write(value, chunks);
  return Buffer.concat(chunks);
}

/** @throws RangeError when the bytes are not what `pack` made */
export function unpack(bytes: Uint8Array): Unpacked {
  const reader = new Reader(bytes);
  const value = reader.value();
  if (!reader.ended) throw new RangeError('bytes behind the end');
  return value;
}

function write(value: Packable, chunks: Uint8Array[]): void {
  if (value === null) chunks.push(Uint8Array.of(TAG.null));
  else if (typeof value === 'boolean') chunks.push(Uint8Array.of(value ? TAG.true : TAG.false));
  else if (typeof value === 'number') writeNumber(value, chunks);
  else if (typeof value === 'string') writeText(value, chunks);
  else if (value instanceof Uint8Array) chunks.push(Uint8Array.of(TAG.bytes), varint(value.length), value);
  else if (isList(value)) {
    chunks.push(Uint8Array.of(TAG.list), varint(value.length));
    for (const item of value) write(item, chunks);
  } else {
    const entries = Object.entries(value);
    const present = entries.filter((entry): entry is [string, Packable] => entry[1] !== undefined);
    chunks.push(Uint8Array.of(TAG.object), varint(present.length));
    for (const [key, item] of present) {
      writeText(key, chunks);
      write(item, chunks);
    }
  }
}

function isList(value: Packable): value is readonly Packable[] {
  return Array.isArray(value);
}

function writeNumber(value: number, chunks: Uint8Array[]): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    chunks.push(Uint8Array.of(value < 0 ? TAG.negative : TAG.natural), varint(Math.abs(value)));
    return;
  }
  const float = Buffer.alloc(9);
  float[0] = TAG.float;
  float.writeDoubleLE(value, 1);
  chunks.push(float);
}

function writeText(text: string, chunks: Uint8Array[]): void {
  const word = WORD_INDEX.get(text);
  if (word !== undefined) {
    chunks.push(Uint8Array.of(TAG.word, word));
    return;
  }
  const raw = fromBase64(text);
  const bytes = raw ?? Buffer.from(text);
  chunks.push(Uint8Array.of(raw ? TAG.base64 : TAG.text), varint(bytes.length), bytes);
}

/** The bytes behind the text, if writing them as base64 gives just this text again. */
function fromBase64(text: string): Buffer | undefined {
  if (text.length < SHORTEST_BASE64 || text.length % 4 !== 0 || !BASE64.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(): Unpacked {
    const tag = this.#byte();
    switch (tag) {
      case TAG.null:
        return null;
      case TAG.false:
        return false;
      case TAG.true:
        return true;
      case TAG.natural:
        return this.#varint();
      case TAG.negative:
        return -this.#varint();
      case TAG.float:
        return this.#take(8).readDoubleLE();
      case TAG.text:
        return this.#take(this.#varint()).toString();
      case TAG.base64:
        return this.#take(this.#varint()).toString('base64');
      case TAG.word: {
        const word = WORDS[this.#byte()];
        if (word === undefined) throw new RangeError('unknown word');
        return word;
      }
      case TAG.bytes:
        return Buffer.from(this.#take(this.#varint()));
      case TAG.list:
        return Array.from({ length: this.#varint() }, () => this.value());
      case TAG.object:
        return this.#object();
      default:
        throw new RangeError(`unknown tag ${tag}`);
    }
  }

  #object(): { [key: string]: Unpacked } {
    const object: { [key: string]: Unpacked } = {};
    for (let left = this.#varint(); left > 0; left -= 1) {
      const key = this.value();
      if (typeof key !== 'string') throw new RangeError('a key is not text');
      Object.defineProperty(object, key, { value: this.value(), writable: true, enumerable: true, configurable: true });
    }
    return object;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError('bytes end too early');
    this.#at += 1;
    return byte;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new RangeError('length beyond the end');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
