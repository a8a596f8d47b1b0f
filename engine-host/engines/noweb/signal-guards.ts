import { BufferJSON } from '@whiskeysockets/baileys';
import * as z from 'zod';

/**
 * Cures for faults of the Signal library that come to light in its records: it advances every session of a record when
 * it tries them, keeps 40 closed sessions and thousands of skipped group keys, and stores the latter in a form it
 * cannot read back.
 */

const CLOSED_SESSIONS = 4;
const RECEIVING_CHAINS = 5;
const SKIPPED_GROUP_KEYS = 64;
const SENDING = 1;
const OPEN = -1;

const chainSchema = z.looseObject({ chainType: z.number() });
const sessionSchema = z.looseObject({
  indexInfo: z.looseObject({ closed: z.number(), used: z.number().nullish() }),
  _chains: z.record(z.string(), chainSchema),
});
const recordSchema = z.looseObject({ _sessions: z.record(z.string(), sessionSchema) });
type Session = z.infer<typeof sessionSchema>;

/** Keeps of a peer's sessions the open one and the last four closed ones, each with its last five receiving chains. */
export function pruneSession<T>(record: T): T {
  const parsed = recordSchema.safeParse(record);
  if (!parsed.success) return record;
  const entries = Object.entries(parsed.data._sessions);
  const closed = entries.filter(([, session]) => session.indexInfo.closed !== OPEN).sort(byUse);
  const dropped = new Set(closed.slice(CLOSED_SESSIONS).map(([baseKey]) => baseKey));
  const kept = entries.filter(([baseKey]) => !dropped.has(baseKey));
  return { ...record, _sessions: Object.fromEntries(kept.map(([key, session]) => [key, pruneChains(session)])) };
}

/** Closes a peer's open session: what comes in it is still read, and nothing is written in it any more. */
export function closeSessions<T>(record: T, now: number): T {
  const parsed = recordSchema.safeParse(record);
  if (!parsed.success) return record;
  const entries = Object.entries(parsed.data._sessions).map(([baseKey, session]) => {
    const { indexInfo } = session;
    const closed = indexInfo.closed === OPEN ? now : indexInfo.closed;
    return [baseKey, { ...session, indexInfo: { ...indexInfo, closed } }];
  });
  return { ...record, _sessions: Object.fromEntries(entries) };
}

function pruneChains(session: Session): Session {
  const chains = Object.entries(session._chains);
  const receiving = chains.filter(([, chain]) => chain.chainType !== SENDING).map(([key]) => key);
  const dropped = new Set(receiving.slice(0, -RECEIVING_CHAINS));
  return { ...session, _chains: Object.fromEntries(chains.filter(([key]) => !dropped.has(key))) };
}

function byUse(a: readonly [string, Session], b: readonly [string, Session]): number {
  return (b[1].indexInfo.used ?? 0) - (a[1].indexInfo.used ?? 0);
}

/**
 * One attempt of a decryption with the n-th most recently used session of the peer's record. The library sees only
 * that session; what it stores is merged into the record it came from.
 */
export class SessionTrial {
  readonly #index: number;
  readonly #whole = new Map<string, Record<string, Session>>();
  /** Sessions of the record that was asked for; 0 when there was none. */
  sessions = 0;

  constructor(index: number) {
    this.#index = index;
  }

  show<T>(key: string, record: T): T {
    const parsed = recordSchema.safeParse(record);
    if (!parsed.success) return record;
    const entries = Object.entries(parsed.data._sessions).sort(byUse);
    this.sessions = entries.length;
    if (entries.length < 2) return record;
    this.#whole.set(key, parsed.data._sessions);
    return { ...record, _sessions: Object.fromEntries(entries.slice(this.#index, this.#index + 1)) };
  }

  merge<T>(key: string, record: T): T {
    const whole = this.#whole.get(key);
    const parsed = recordSchema.safeParse(record);
    if (!whole || !parsed.success) return record;
    return { ...record, _sessions: { ...whole, ...parsed.data._sessions } };
  }
}

const bytesSchema = z.instanceof(Uint8Array);
const senderKeySchema = z.array(
  z.looseObject({
    senderSigningKey: z.looseObject({ private: bytesSchema.nullish() }),
    senderMessageKeys: z.array(z.looseObject({ iteration: z.number(), seed: bytesSchema })).nullish(),
  }),
);

/**
 * Writes a group's sender key so that it can be read back, with the last 64 skipped keys of other people and none of
 * our own (they exist only because the library steps its chain by two).
 */
export function pruneSenderKey(bytes: Uint8Array): Uint8Array {
  const parsed = readSenderKey(bytes);
  if (!parsed.success) return bytes;
  const states = parsed.data.map((state) => {
    const skipped = isOwn(state) ? [] : (state.senderMessageKeys ?? []).slice(-SKIPPED_GROUP_KEYS);
    return { ...state, senderMessageKeys: skipped };
  });
  return Buffer.from(JSON.stringify(states, BufferJSON.replacer));
}

/** Whether a group's sender key is one that this account writes with. */
export function isOwnSenderKey(bytes: Uint8Array): boolean {
  const parsed = readSenderKey(bytes);
  return parsed.success && parsed.data.some(isOwn);
}

function readSenderKey(bytes: Uint8Array) {
  return senderKeySchema.safeParse(JSON.parse(Buffer.from(bytes).toString(), reviveBytes));
}

function isOwn({ senderSigningKey }: z.infer<typeof senderKeySchema>[number]): boolean {
  return (senderSigningKey.private?.length ?? 0) > 0;
}

const numberArrayBuffer = z.object({ type: z.literal('Buffer'), data: z.array(z.number()) });

/** Reads bytes in every form the library writes them: marked base64, marked number array, object of numbers. */
function reviveBytes(key: string, value: unknown): unknown {
  const numbers = numberArrayBuffer.safeParse(value);
  return numbers.success ? Buffer.from(numbers.data.data) : BufferJSON.reviver(key, value);
}
