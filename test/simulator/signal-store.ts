import * as libsignal from 'libsignal';
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

const typed = (publicKey: Buffer): Buffer => Buffer.concat([KEY_TYPE, publicKey]);
const signalKeys = ({ publicKey, privateKey }: KeyPair) => ({ pubKey: typed(publicKey), privKey: privateKey });

/** The Signal sessions of one simulated phone, with the storage libsignal asks for. */
export class SignalStore implements libsignal.SignalStorage {
  readonly #account: Account;
  readonly #sessions = new Map<string, unknown>();
  readonly #preKeys = new Map<number, KeyPair>();
  #nextPreKey = 1;

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

  decrypt(device: Device, type: string, body: Buffer): Promise<Buffer> {
    const cipher = new libsignal.SessionCipher(this, addressOf(device));
    return type === 'pkmsg' ? cipher.decryptPreKeyWhisperMessage(body) : cipher.decryptWhisperMessage(body);
  }

  async loadSession(id: string): Promise<libsignal.SessionRecord | undefined> {
    const saved = this.#sessions.get(id);
    // A record is read anew each time: libsignal changes it even when decryption fails. It really (de)serialises
    // plain objects, whatever its types say.
    return saved === undefined ? undefined : libsignal.SessionRecord.deserialize(saved as Uint8Array);
  }

  async storeSession(id: string, session: libsignal.SessionRecord): Promise<void> {
    this.#sessions.set(id, session.serialize());
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
