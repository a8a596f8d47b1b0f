import { randomBytes } from 'node:crypto';
import type { Account } from './accounts.ts';
import { type Jid, jid } from './wire/jid.ts';

export type GroupRole = 'superadmin' | 'admin' | 'member';
export type Addressing = 'lid' | 'pn';

/** A group as the server keeps it. Times are Unix seconds. */
export interface Group {
  /** Digits only, without the server part. */
  readonly id: string;
  readonly addressing: Addressing;
  readonly creation: number;
  readonly creator: Account;
  subject: string;
  subjectAt: number;
  subjectBy: Account;
  description?: { readonly id: string; readonly text: string; readonly at: number; readonly by: Account } | undefined;
  announcement: boolean;
  locked: boolean;
  /** Seconds until messages vanish; 0 when they stay. */
  ephemeral: number;
  memberAddMode: string;
  joinApproval: boolean;
  inviteCode: string;
  /** Counts changes of the member list. */
  version: number;
  readonly members: Map<Account, GroupRole>;
  picture?: { id: string; path: string };
}

export class GroupBook {
  readonly #byId = new Map<string, Group>();

  find(id: string): Group | undefined {
    return this.#byId.get(id);
  }

  findByInvite(code: string): Group | undefined {
    return [...this.#byId.values()].find((group) => group.inviteCode === code);
  }

  all(): IterableIterator<Group> {
    return this.#byId.values();
  }

  of(account: Account): readonly Group[] {
    return [...this.#byId.values()].filter((group) => group.members.has(account));
  }

  add(group: Group): void {
    this.#byId.set(group.id, group);
  }

  create(creator: Account, subject: string, members: Iterable<Account>, addressing: Addressing, now: number): Group {
    const roles = new Map<Account, GroupRole>([[creator, 'superadmin']]);
    for (const member of members) if (!roles.has(member)) roles.set(member, 'member');
    const group: Group = {
      id: `120363${String(randomBytes(6).readUIntBE(0, 6)).padStart(15, '0').slice(0, 12)}`,
      addressing,
      creation: now,
      creator,
      subject,
      subjectAt: now,
      subjectBy: creator,
      announcement: false,
      locked: false,
      ephemeral: 0,
      memberAddMode: 'admin_add',
      joinApproval: false,
      inviteCode: newInviteCode(),
      version: now,
      members: roles,
    };
    this.add(group);
    return group;
  }
}

export const newInviteCode = (): string => randomBytes(16).toString('base64url').replace(/[-_]/g, 'x').slice(0, 22);

export const groupJid = (group: Group): Jid => jid(group.id, 'g.us');

export const isAdmin = (group: Group, account: Account): boolean => {
  const role = group.members.get(account);
  return role === 'admin' || role === 'superadmin';
};
