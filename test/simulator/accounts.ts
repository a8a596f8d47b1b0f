import { createHash, randomBytes, randomInt } from 'node:crypto';
import type { ClientSession } from './client-session.ts';
import type { Phone } from './phone.ts';
import type { BinaryNode } from './wire/binary-node.ts';
import { type Jid, jid } from './wire/jid.ts';
import { generateKeyPair, sign } from './wire/xeddsa.ts';

/** Curve25519 key pair, both halves raw 32 bytes. */
export interface KeyPair {
  readonly publicKey: Buffer;
  readonly privateKey: Buffer;
}

/** The public half of a signed prekey as a device published it. */
export interface SignedPreKey {
  readonly id: number;
  readonly publicKey: Buffer;
  readonly signature: Buffer;
}

/** A stanza that a device has not acknowledged yet. */
export interface PendingStanza {
  readonly stanza: BinaryNode;
  /** The connection it has been sent on; a later one gets it again. */
  sentTo?: ClientSession;
  /** Places on the wire at which it left the first and the last time. */
  places?: { readonly first: number; readonly last: number };
}

/** One device of an account; number 0 is the simulated phone, the others are linked clients. */
export interface Device {
  readonly account: Account;
  readonly id: number;
  readonly identityKey: Buffer;
  readonly registrationId: number;
  signedPreKey: SignedPreKey;
  /** The Noise static key logins must present; the phone has none. */
  readonly noiseKey?: Buffer;
  /** One-time prekeys by id, in upload order. */
  readonly preKeys: Map<number, Buffer>;
  /** Unacknowledged stanzas by delivery key, in order: the offline queue. */
  readonly pending: Map<string, PendingStanza>;
  /** Whether the phone has sent key share and history to this device. */
  introduced: boolean;
  session?: ClientSession | undefined;
}

/** How the account's devices see the world; kept per account, as the real server does. */
export interface Account {
  readonly phone: string;
  readonly lid: string;
  name: string;
  about: { text: string; at: number };
  readonly createdAt: number;
  readonly identity: KeyPair;
  readonly phoneSignedPreKey: KeyPair;
  readonly devices: Map<number, Device>;
  nextDevice: number;
  readonly blocked: Set<Account>;
  readonly privacy: Map<string, string>;
  picture?: { id: string; path: string };
  /** Encrypted app-state patches by collection name, in version order. */
  readonly appState: Map<string, { version: number; patch: Buffer }[]>;
  /** Devices that asked for this account's device list and must hear of changes. */
  readonly deviceListWatchers: Set<Device>;
  /** Devices that subscribed to this account's presence, each with the address it asked by. */
  readonly presenceWatchers: Map<Device, Jid>;
  lastSeen: number;
  simulated: Phone;
}

/** Key-bundle type byte in front of public keys that are signed. */
const KEY_TYPE = Buffer.from([5]);

export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

export const pnJid = (account: Account, device = 0): Jid => jid(account.phone, 's.whatsapp.net', device || undefined);
export const lidJid = (account: Account, device = 0): Jid => jid(account.lid, 'lid', device || undefined);

/** The account's address on the same server as `like` (LID for LID, phone number for everything else). */
export const addressLike = (like: Jid, account: Account, device = 0): Jid =>
  like.server === 'lid' ? lidJid(account, device) : pnJid(account, device);

/** The account's other address: phone number for LID and the reverse. */
export const alternateLike = (like: Jid, account: Account): Jid =>
  like.server === 'lid' ? pnJid(account) : lidJid(account);

export const deviceName = (device: Device): string => `${device.account.phone}:${device.id}`;

/** A number in a range that phone-number libraries accept, the same for the same push name. */
export function phoneFromName(name: string): string {
  const digits = BigInt(`0x${createHash('sha256').update(name).digest('hex')}`) % 100_000_000n;
  return `49151${digits.toString().padStart(8, '0')}`;
}

function lidFromPhone(phone: string): string {
  const digits = BigInt(`0x${createHash('sha256').update(`lid:${phone}`).digest('hex')}`) % 100_000_000_000_000n;
  return `2${digits.toString().padStart(14, '0')}`;
}

export class AccountBook {
  readonly #byPhone = new Map<string, Account>();
  readonly #byLid = new Map<string, Account>();

  byPhone(phone: string): Account | undefined {
    return this.#byPhone.get(phone);
  }

  /** The account behind a user JID of either kind, whatever its device. */
  find(address: Jid): Account | undefined {
    if (address.server === 'lid' || address.server === 'hosted.lid') return this.#byLid.get(address.user);
    if (address.server === 's.whatsapp.net' || address.server === 'c.us' || address.server === 'hosted') {
      return this.#byPhone.get(address.user);
    }
    return undefined;
  }

  findDevice(address: Jid): Device | undefined {
    return this.find(address)?.devices.get(address.device ?? 0);
  }

  all(): IterableIterator<Account> {
    return this.#byPhone.values();
  }

  add(account: Account): void {
    this.#byPhone.set(account.phone, account);
    this.#byLid.set(account.lid, account);
  }

  /** Creates an account with its phone's keys; `attachPhone` supplies the simulated phone. */
  create(phone: string, name: string, attachPhone: (account: Account) => Phone): Account {
    const identity = generateKeyPair();
    const account = assembleAccount(
      {
        phone,
        lid: lidFromPhone(phone),
        name,
        about: { text: 'Hey there! I am using WhatsApp.', at: nowSeconds() },
        createdAt: nowSeconds(),
        identity,
        phoneSignedPreKey: generateKeyPair(),
        nextDevice: 1,
        lastSeen: nowSeconds(),
      },
      randomInt(1, 16380),
      attachPhone,
    );
    this.add(account);
    return account;
  }
}

export type AccountSeed = Pick<
  Account,
  'phone' | 'lid' | 'name' | 'about' | 'createdAt' | 'identity' | 'phoneSignedPreKey' | 'nextDevice' | 'lastSeen'
>;

/** Puts an account together from its lasting facts: fresh or read back from a snapshot. */
export function assembleAccount(
  seed: AccountSeed,
  registrationId: number,
  attachPhone: (account: Account) => Phone,
): Account {
  const devices = new Map<number, Device>();
  const draft: Omit<Account, 'simulated'> = {
    ...seed,
    devices,
    blocked: new Set(),
    privacy: new Map(),
    appState: new Map(),
    deviceListWatchers: new Set(),
    presenceWatchers: new Map(),
  };
  // The phone needs its account and the account its phone: the cycle is closed here and nowhere else.
  const account = draft as Account;
  const signedKey = Buffer.concat([KEY_TYPE, seed.phoneSignedPreKey.publicKey]);
  devices.set(0, {
    account,
    id: 0,
    identityKey: seed.identity.publicKey,
    registrationId,
    signedPreKey: {
      id: 1,
      publicKey: seed.phoneSignedPreKey.publicKey,
      signature: sign(seed.identity.privateKey, signedKey),
    },
    preKeys: new Map(),
    pending: new Map(),
    introduced: true,
  });
  account.simulated = attachPhone(account);
  return account;
}

export const primaryOf = (account: Account): Device => {
  const device = account.devices.get(0);
  if (!device) throw new Error('an account always has its phone');
  return device;
};

export const messageId = (): string => `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;
