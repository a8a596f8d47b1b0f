import type { GroupMetadata } from '@whiskeysockets/baileys';
import { ExpiringCache } from './expiring-cache.ts';

const CAPACITY = 64;
const LIFETIME_MS = 5 * 60_000;

/** Groups' subjects and members as last asked for; a change of a group drops it. */
export class GroupCache {
  readonly #cache = new ExpiringCache(CAPACITY, LIFETIME_MS);
  readonly #fetch: (jid: string) => Promise<GroupMetadata>;

  constructor(fetch: (jid: string) => Promise<GroupMetadata>) {
    this.#fetch = fetch;
  }

  async get(jid: string): Promise<GroupMetadata> {
    const known = this.#cache.get<GroupMetadata>(jid);
    if (known) return known;
    const fetched = await this.#fetch(jid);
    this.#cache.set(jid, fetched);
    return fetched;
  }

  drop(jid: string): void {
    this.#cache.del(jid);
  }
}
