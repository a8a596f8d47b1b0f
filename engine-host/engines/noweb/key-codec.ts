import { BufferJSON, type KeyPair, proto, type SignalDataTypeMap } from '@whiskeysockets/baileys';

/** The kinds of Signal and app-state keys that Baileys keeps. */
export type KeyType = keyof SignalDataTypeMap;

interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

type Codecs = { readonly [T in KeyType]: Codec<SignalDataTypeMap[T]> };

/** For values without bytes in them. Sessions are among them (their bytes are base64 text) and are read at every message. */
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
  session: plainJson(),
  'sender-key': raw,
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
