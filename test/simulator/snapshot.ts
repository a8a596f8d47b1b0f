import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type AccountSeed, assembleAccount, type Device, type SignedPreKey } from './accounts.ts';
import type { Group, GroupRole } from './groups.ts';
import { Phone } from './phone.ts';
import type { PhoneState } from './phone-state.ts';
import type { Server } from './server.ts';
import type { BinaryNode } from './wire/binary-node.ts';
import type { ServerIdentityJson } from './wire/server-identity.ts';
import type { TestCa } from './wire/tls.ts';

const VERSION = 1;
/** How long after a change the file is written at the soonest; further changes in between are in it. */
const DEBOUNCE_MS = 500;
/** Writing takes no more than one part in this many of the time, however large the state has grown. */
const WRITE_SHARE = 20;

interface SavedDevice {
  readonly id: number;
  readonly identityKey: Buffer;
  readonly registrationId: number;
  readonly signedPreKey: SignedPreKey;
  readonly noiseKey: Buffer;
  readonly preKeys: readonly (readonly [number, Buffer])[];
  readonly pending: readonly (readonly [string, BinaryNode])[];
  readonly introduced: boolean;
}

interface SavedAccount {
  readonly seed: AccountSeed;
  readonly registrationId: number;
  readonly blocked: readonly string[];
  readonly privacy: readonly (readonly [string, string])[];
  readonly picture?: { id: string; path: string };
  readonly appState: readonly (readonly [string, { version: number; patch: Buffer }[]])[];
  readonly devices: readonly SavedDevice[];
  readonly watchers: readonly string[];
  readonly phoneState: PhoneState;
}

interface SavedGroup extends Omit<Group, 'creator' | 'subjectBy' | 'description' | 'members'> {
  readonly creator: string;
  readonly subjectBy: string;
  readonly description?: { readonly id: string; readonly text: string; readonly at: number; readonly by: string };
  readonly members: readonly (readonly [string, GroupRole])[];
}

/** Everything that outlives a run. */
export interface Snapshot {
  readonly version: number;
  readonly identity: ServerIdentityJson;
  readonly ca: TestCa;
  readonly accounts: readonly SavedAccount[];
  readonly groups: readonly SavedGroup[];
}

/** Reads a snapshot; undefined when there is none yet. @throws Error when it is of another version. */
export async function readSnapshot(path: string): Promise<Snapshot | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const saved: unknown = JSON.parse(text, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && '$b' in value ? Buffer.from(String(value.$b), 'base64') : value,
  );
  if (typeof saved !== 'object' || saved === null || !('version' in saved) || saved.version !== VERSION) {
    throw new Error(`${path} is not a snapshot of this version of the simulator`);
  }
  // Written by writeSnapshot below, whole or not at all; the version stands for its shape.
  return saved as Snapshot;
}

async function writeSnapshot(path: string, snapshot: Snapshot): Promise<void> {
  // A Buffer's own toJSON would make a list of numbers; `this` still has the Buffer itself.
  const text = JSON.stringify(snapshot, function (this: Record<string, unknown>, key: string, value: unknown) {
    const raw = this[key];
    return Buffer.isBuffer(raw) ? { $b: raw.toString('base64') } : value;
  });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Writes the state some time after each change, one write at a time, and at the end. */
export class SnapshotWriter {
  readonly #path: string;
  readonly #take: () => Snapshot;
  #timer: NodeJS.Timeout | undefined;
  #lastWriteMs = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, take: () => Snapshot) {
    this.#path = path;
    this.#take = take;
  }

  schedule(): void {
    const delay = Math.max(DEBOUNCE_MS, this.#lastWriteMs * WRITE_SHARE);
    this.#timer ??= setTimeout(() => void this.flush(), delay);
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const started = performance.now();
    await writeSnapshot(this.#path, this.#take());
    this.#lastWriteMs = performance.now() - started;
  }
}

export function takeSnapshot(server: Server, ca: TestCa): Snapshot {
  const accounts = [...server.accounts.all()].map((account): SavedAccount => {
    const { phone, lid, name, about, createdAt, identity, phoneSignedPreKey, nextDevice, lastSeen } = account;
    const seed = { phone, lid, name, about, createdAt, identity, phoneSignedPreKey, nextDevice, lastSeen };
    return {
      seed,
      registrationId: account.devices.get(0)?.registrationId ?? 0,
      blocked: [...account.blocked].map((each) => each.phone),
      privacy: [...account.privacy],
      ...(account.picture ? { picture: account.picture } : {}),
      appState: [...account.appState],
      devices: [...account.devices.values()].flatMap(saveDevice),
      watchers: [...account.deviceListWatchers].map((device) => `${device.account.phone}:${device.id}`),
      phoneState: account.simulated.state(),
    };
  });
  const groups = [...server.groups.all()].map((group): SavedGroup => {
    const { description, ...rest } = group;
    return {
      ...rest,
      creator: group.creator.phone,
      subjectBy: group.subjectBy.phone,
      members: [...group.members].map(([account, role]) => [account.phone, role]),
      ...(description ? { description: { ...description, by: description.by.phone } } : {}),
    };
  });
  return { version: VERSION, identity: server.identity.toJSON(), ca, accounts, groups };
}

function saveDevice(device: Device): readonly SavedDevice[] {
  const { id, identityKey, registrationId, signedPreKey, noiseKey, introduced } = device;
  if (!noiseKey) return [];
  const pending = [...device.pending].map(([key, { stanza }]) => [key, stanza] as const);
  const preKeys = [...device.preKeys];
  return [{ id, identityKey, registrationId, signedPreKey, noiseKey, introduced, pending, preKeys }];
}

/** Fills a fresh server with what an earlier run left behind. */
export function restoreSnapshot(server: Server, snapshot: Snapshot): void {
  for (const saved of snapshot.accounts) {
    const account = assembleAccount(
      saved.seed,
      saved.registrationId,
      (owner) => new Phone(server, owner, saved.phoneState),
    );
    for (const [category, value] of saved.privacy) account.privacy.set(category, value);
    for (const [collection, patches] of saved.appState) account.appState.set(collection, patches);
    if (saved.picture) account.picture = saved.picture;
    for (const device of saved.devices) {
      account.devices.set(device.id, {
        ...device,
        account,
        preKeys: new Map(device.preKeys),
        pending: new Map(device.pending.map(([key, stanza]) => [key, { stanza }])),
      });
    }
    server.accounts.add(account);
  }
  for (const saved of snapshot.accounts) restoreRelations(server, saved);
  for (const group of snapshot.groups) restoreGroup(server, group);
}

function restoreRelations(server: Server, saved: SavedAccount): void {
  const account = required(server, saved.seed.phone);
  for (const phone of saved.blocked) account.blocked.add(required(server, phone));
  for (const watcher of saved.watchers) {
    const [phone = '', id] = watcher.split(':');
    const device = server.accounts.byPhone(phone)?.devices.get(Number(id));
    if (device) account.deviceListWatchers.add(device);
  }
}

function restoreGroup(server: Server, saved: SavedGroup): void {
  const { description, ...rest } = saved;
  server.groups.add({
    ...rest,
    creator: required(server, saved.creator),
    subjectBy: required(server, saved.subjectBy),
    members: new Map(saved.members.map(([phone, role]) => [required(server, phone), role])),
    ...(description ? { description: { ...description, by: required(server, description.by) } } : {}),
  });
}

function required(server: Server, phone: string) {
  const account = server.accounts.byPhone(phone);
  if (!account) throw new Error('the snapshot names an account it does not have');
  return account;
}
