import * as libsignal from 'libsignal';
import * as z from 'zod';
import type { Account, Device, KeyPair } from './accounts.ts';
import type { Bundle } from './prekeys.ts';
import { generateKeyPair } from './wire/xeddsa.ts';

/** A ciphertext for one device; pkmsg opens a session, msg continues it. */
export interface Encrypted {
  readonly type: 'pkmsg' | 'msg';
  readonly body: Buffer;
}

/** What a snapshot keeps of a store; keys and sessions in their own JSON forms. */
export interface SignalStoreState {
  readonly nextPreKey: number;
  readonly preKeys: readonly (readonly [number, KeyPair])[];
  readonly sessions: readonly (readonly [string, unknown])[];
}

/** Unused prekeys kept before the oldest is forgotten: clients fetch bundles they never use. */
const KEPT_PREKEYS = 2000;
const KEY_TYPE = Buffer.from([5]);

/** As much of libsignal's JSON form of a record as is needed to take its sessions apart. */
const recordSchema = z.looseObject({
  _sessions: z.record(z.string(), z.looseObject({ indexInfo: z.looseObject({ used: z.number() }) })),
});
type SavedRecord = z.infer<typeof recordSchema>;

const typed = (publicKey: Buffer): Buffer => Buffer.concat([KEY_TYPE, publicKey]);
const signalKeys = ({ publicKey, privateKey }: KeyPair) => ({ pubKey: typed(publicKey), privKey: privateKey });

/** The Signal sessions of one simulated phone, with the storage libsignal asks for. */
export class SignalStore implements libsignal.SignalStorage {
  readonly #account: Account;
  readonly #sessions = new Map<string, unknown>();
  readonly #preKeys = new Map<number, KeyPair>();
  #nextPreKey = 1;
  /** The record that is shown and changed while one session of a peer is tried. */
  #trial: { readonly id: string; record: SavedRecord } | undefined;

  constructor(account: Account, state?: SignalStoreState) {
    this.#account = account;
    if (!state) return;
    this.#nextPreKey = state.nextPreKey;
    for (const [id, pair] of state.preKeys) this.#preKeys.set(id, pair);
    for (const [id, session] of state.sessions) this.#sessions.set(id, session);
  }

  state(): SignalStoreState {
    return { nextPreKey: this.#nextPreKey, preKeys: [...this.#preKeys], sessions: [...this.#sessions] };
  }

  /** A new one-time prekey for somebody who wants to write to this phone. */
  freshPreKey(): { readonly id: number; readonly publicKey: Buffer } {
    const id = this.#nextPreKey;
    this.#nextPreKey = (id % 0xfffffe) + 1;
    const pair = generateKeyPair();
    this.#preKeys.set(id, pair);
    if (this.#preKeys.size > KEPT_PREKEYS) {
      const oldest = this.#preKeys.keys().next();
      if (!oldest.done) this.#preKeys.delete(oldest.value);
    }
    return { id, publicKey: pair.publicKey };
  }

  hasSession(device: Device): boolean {
    return this.#sessions.has(addressOf(device).toString());
  }

  forgetSession(device: Device): void {
    this.#sessions.delete(addressOf(device).toString());
  }

  forgetAllSessions(): void {
    this.#sessions.clear();
  }

  async openSession(device: Device, bundle: Bundle): Promise<void> {
    const { preKey, signedPreKey } = bundle;
    const session = {
      registrationId: bundle.registrationId,
      identityKey: typed(bundle.identityKey),
      signedPreKey: {
        keyId: signedPreKey.id,
        publicKey: typed(signedPreKey.publicKey),
        signature: signedPreKey.signature,
      },
      ...(preKey ? { preKey: { keyId: preKey.id, publicKey: typed(preKey.publicKey) } } : {}),
    };
    const builder = new libsignal.SessionBuilder(this, addressOf(device));
    // libsignal's types require a one-time prekey, its code does not.
    await builder.initOutgoing(session as Parameters<typeof builder.initOutgoing>[0]);
  }

  async encrypt(device: Device, plaintext: Buffer): Promise<Encrypted> {
    const cipher = new libsignal.SessionCipher(this, addressOf(device));
    const { type, body } = await cipher.encrypt(plaintext);
    return { type: type === 3 ? 'pkmsg' : 'msg', body: Buffer.from(body, 'binary') };
  }

  /** One at a time for one store: see {@link Phone.enqueue}. */
  decrypt(device: Device, type: string, body: Buffer): Promise<Buffer> {
    const cipher = new libsignal.SessionCipher(this, addressOf(device));
    return type === 'pkmsg' ? cipher.decryptPreKeyWhisperMessage(body) : this.#decryptBySession(device, cipher, body);
  }

  /**
   * Shows libsignal one session at a time, as the libraries of real phones try them on copies: this one moves all of them
   * on until one fits and keeps the lot, which breaks the other session of two people who first wrote at the same moment.
   */
  async #decryptBySession(device: Device, cipher: libsignal.SessionCipher, body: Buffer): Promise<Buffer> {
    const id = addressOf(device).toString();
    const saved = this.#sessions.get(id);
    if (saved === undefined) return cipher.decryptWhisperMessage(body);
    const { _sessions: all, ...record } = recordSchema.parse(saved);
    const latestFirst = Object.entries(all).sort(([, a], [, b]) => b.indexInfo.used - a.indexInfo.used);
    const failures: unknown[] = [];
    for (const [baseKey, session] of latestFirst) {
      const trial = { id, record: { ...record, _sessions: { [baseKey]: session } } };
      this.#trial = trial;
      try {
        const plaintext = await cipher.decryptWhisperMessage(body);
        this.#sessions.set(id, { ...record, _sessions: { ...all, ...trial.record._sessions } });
        return plaintext;
      } catch (error) {
        failures.push(error);
      } finally {
        this.#trial = undefined;
      }
    }
    throw new AggregateError(failures, 'no session fits');
  }

  async loadSession(id: string): Promise<libsignal.SessionRecord | undefined> {
    const saved = this.#trial?.id === id ? this.#trial.record : this.#sessions.get(id);
    // A record is read anew each time: libsignal changes it even when decryption fails. It really (de)serialises
    // plain objects, whatever its types say.
    return saved === undefined ? undefined : libsignal.SessionRecord.deserialize(saved as Uint8Array);
  }

  async storeSession(id: string, session: libsignal.SessionRecord): Promise<void> {
    if (this.#trial?.id === id) this.#trial.record = recordSchema.parse(session.serialize());
    else this.#sessions.set(id, session.serialize());
  }

  isTrustedIdentity(): boolean {
    return true;
  }

  async loadPreKey(id: number | string): Promise<{ privKey: Buffer; pubKey: Buffer } | undefined> {
    const pair = this.#preKeys.get(Number(id));
    return pair && signalKeys(pair);
  }

  removePreKey(id: number): void {
    this.#preKeys.delete(id);
  }

  loadSignedPreKey(): { privKey: Buffer; pubKey: Buffer } {
    return signalKeys(this.#account.phoneSignedPreKey);
  }

  getOurRegistrationId(): number {
    return this.#account.devices.get(0)?.registrationId ?? 0;
  }

  getOurIdentity(): { privKey: Buffer; pubKey: Buffer } {
    return signalKeys(this.#account.identity);
  }
}

// Signal knows a WhatsApp device by its LID with the domain number 1 behind it.
function addressOf(device: Device): libsignal.ProtocolAddress {
  return new libsignal.ProtocolAddress(`${device.account.lid}_1`, device.id);
}
