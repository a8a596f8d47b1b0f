import { type AuthenticationCreds, BufferJSON, initAuthCreds } from '@whiskeysockets/baileys';
import * as z from 'zod';
import type { StateChange } from '../engine.ts';
import { KEY_TYPES } from './key-codec.ts';
import type { MarkedState } from './marked-state.ts';

type State = Pick<MarkedState, 'get' | 'keys' | 'append'>;

const PREFIX = 'creds/';
const LOGGED_IN = 'login/succeeded';

/** The account's credentials, one entry of the state per top-level field; fresh ones where there are none. */
export function loadCreds(state: State): AuthenticationCreds {
  const keys = state.keys(PREFIX);
  if (keys.length === 0) {
    const fresh = initAuthCreds();
    saveCreds(state, fresh);
    return fresh;
  }
  const creds: Partial<Record<string, unknown>> = {};
  for (const key of keys) {
    const bytes = state.get(key);
    if (bytes) creds[key.slice(PREFIX.length)] = JSON.parse(Buffer.from(bytes).toString(), BufferJSON.reviver);
  }
  // A code was asked for and never entered: logging in with what is there would only be refused.
  const unfinished = creds.me !== undefined && creds.account === undefined;
  if (unfinished) delete creds.me;
  // These are the fields saveCreds wrote; the library gives no schema to check them against.
  return { ...initialFields, ...creds } as AuthenticationCreds;
}

const initialFields = { pairingCode: undefined, lastPropHash: undefined, routingInfo: undefined };

/** Appends the fields that differ from what is stored, all in one record; nothing when nothing differs. */
export function saveCreds(state: State, creds: AuthenticationCreds): void {
  const changes: StateChange[] = [];
  for (const [field, value] of Object.entries(creds)) {
    const key = `${PREFIX}${field}`;
    const stored = state.get(key);
    const bytes = value === undefined ? null : encodeField(value);
    if (bytes === null ? stored !== undefined : stored === undefined || !bytes.equals(stored)) {
      changes.push({ key, value: bytes });
    }
  }
  if (changes.length > 0) state.append(changes);
}

function encodeField(value: unknown): Buffer {
  // A protobuf object's own toJSON would turn its bytes into bare base64 text; a plain copy keeps them marked as bytes.
  const plain = isProtobuf(value) ? { ...value } : value;
  return Buffer.from(JSON.stringify(plain, BufferJSON.replacer));
}

function isProtobuf(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Buffer.isBuffer(value) && 'toJSON' in value;
}

/**
 * Changes after which new pre-keys get ids that none of this account has had, also where `count` more than are stored were made.
 * What is on the server of those is not known here; whoever takes one is asked to send again.
 */
export function skipPreKeyIds(state: Pick<State, 'get'>, count: number): readonly StateChange[] {
  const stored = state.get(`${PREFIX}nextPreKeyId`);
  if (stored === undefined) return [];
  const next = encodeField(z.number().parse(JSON.parse(Buffer.from(stored).toString())) + count);
  return ['nextPreKeyId', 'firstUnuploadedPreKeyId'].map((field) => ({ key: `${PREFIX}${field}`, value: next }));
}

/** Whether the server has ever accepted a login with these credentials. Before that a 401 means "not paired". */
export function hasLoggedIn(state: State): boolean {
  return state.get(LOGGED_IN) !== undefined;
}

export function markLoggedIn(state: State): void {
  if (!hasLoggedIn(state)) state.append([{ key: LOGGED_IN, value: Uint8Array.of(1) }]);
}

/** Forgets credentials and keys, so that the next connection pairs anew. */
export function forgetLogin(state: State): void {
  const prefixes = [PREFIX, LOGGED_IN, ...KEY_TYPES.map((type) => `${type}/`), 'inbox/', 'heard/', 'proof/'];
  const changes = prefixes.flatMap((prefix) => state.keys(prefix).map((key) => ({ key, value: null })));
  if (changes.length > 0) state.append(changes);
}
