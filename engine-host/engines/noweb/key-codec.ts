import { BufferJSON, type KeyPair, proto, type SignalDataTypeMap } from '@whiskeysockets/baileys';
import { type Packable, pack, unpack } from './packed-json.ts';

/** The kinds of Signal and app-state keys that Baileys keeps. */
export type KeyType = keyof SignalDataTypeMap;

interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

type Codecs = { readonly [T in KeyType]: Codec<SignalDataTypeMap[T]> };

/** For values without bytes in them. */
function plainJson<T>(): Codec<T> {
  return {
    encode: (value) => Buffer.from(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()),
  };
}

function jsonWithBytes<T>(): Codec<T> {
  return {
    encode: (value) => Buffer.from(JSON.stringify(value, BufferJSON.replacer)),
    decode: (bytes) => JSON.parse(Buffer.from(bytes).toString(), BufferJSON.reviver),
  };
}

/** A peer's sessions change with every message: in this form they take less than half of their JSON. */
const session: Codec<SignalDataTypeMap['session']> = {
  // Declared as bytes, but what the library stores and expects is a tree of plain objects with base64 text in it.
  encode: (value) => pack(value as Packable),
  decode: (bytes) => unpack(bytes) as unknown as SignalDataTypeMap['session'],
};

/** The library's form of a group's sender key is JSON text in bytes. */
const senderKey: Codec<Uint8Array> = {
  encode: (value) => pack(JSON.parse(Buffer.from(value).toString(), BufferJSON.reviver)),
  decode: (bytes) => Buffer.from(JSON.stringify(unpack(bytes), BufferJSON.replacer)),
};

const raw: Codec<Uint8Array> = { encode: (value) => value, decode: (bytes) => Buffer.from(bytes) };

/** 812 pre-keys per account are most of an idle session's state: private half, then public half, nothing else. */
const keyPair: Codec<KeyPair> = {
  encode: (pair) => Buffer.concat([pair.private, pair.public]),
  decode: (bytes) => ({ private: Buffer.from(bytes.subarray(0, 32)), public: Buffer.from(bytes.subarray(32)) }),
};

const appStateSyncKey: Codec<proto.Message.IAppStateSyncKeyData> = {
  encode: (value) => proto.Message.AppStateSyncKeyData.encode(value).finish(),
  decode: (bytes) => proto.Message.AppStateSyncKeyData.decode(bytes),
};

const CODECS: Codecs = {
  'pre-key': keyPair,
  session,
  'sender-key': senderKey,
  'sender-key-memory': plainJson(),
  'app-state-sync-key': appStateSyncKey,
  'app-state-sync-version': jsonWithBytes(),
  'lid-mapping': plainJson(),
  'device-list': plainJson(),
  tctoken: jsonWithBytes(),
  'identity-key': raw,
};

export const KEY_TYPES = Object.keys(CODECS).filter((type): type is KeyType => type in CODECS);

export function encodeKey<T extends KeyType>(type: T, value: SignalDataTypeMap[T]): Uint8Array {
  return CODECS[type].encode(value);
}

/** Every call gives a fresh value, so that what Baileys does to it changes nothing that is stored. */
export function decodeKey<T extends KeyType>(type: T, bytes: Uint8Array): SignalDataTypeMap[T] {
  return CODECS[type].decode(bytes);
}
