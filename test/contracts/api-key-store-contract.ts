import { beforeEach, describe, expect, it } from 'vitest';
import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import type { ApiKeyStore } from '#shared/ports/api-key-store.ts';

const row: ApiKeyRow = {
  id: 'key_id_1',
  version: 1,
  name: null,
  hash: 'ab'.repeat(32),
  isAdmin: false,
  isActive: true,
  session: null,
  actions: ['read', 'send'],
  createdAt: 1,
};
const ofAlpha = { ...row, id: 'key_id_2', session: 'alpha', incarnation: 'one' };

/** What every key store does. @param factory gives an empty store */
export function defineApiKeyStoreContract(name: string, factory: () => Promise<ApiKeyStore>): void {
  describe(`${name}: a key store`, () => {
    let store: ApiKeyStore;
    beforeEach(async () => {
      store = await factory();
    });

    it('finds what was created, and all of it', async () => {
      expect(await store.create(row)).toBe(true);
      expect(await store.create(ofAlpha)).toBe(true);
      expect(await store.get(row.id)).toEqual(row);
      expect(await store.get('key_id_3')).toBeUndefined();
      expect((await store.list()).toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([row, ofAlpha]);
    });

    it('creates nothing over what is there', async () => {
      await store.create(row);
      expect(await store.create({ ...row, isAdmin: true })).toBe(false);
      expect(await store.get(row.id)).toEqual(row);
    });

    it('replaces the version that was seen, and no other', async () => {
      await store.create({ ...row, expiresAt: 5 });
      expect(await store.replace({ ...row, isActive: false })).toBe(true);
      expect(await store.get(row.id)).toEqual({ ...row, isActive: false, version: 2 });
      expect(await store.replace({ ...row, isAdmin: true })).toBe(false);
      expect(await store.replace({ ...row, id: 'key_id_3' })).toBe(false);
      expect(await store.list()).toEqual([{ ...row, isActive: false, version: 2 }]);
    });

    it('notes a use without a new version, and makes no row of it', async () => {
      await store.create(row);
      await store.used(row.id, 7);
      await store.used('key_id_3', 7);
      expect(await store.list()).toEqual([{ ...row, lastUsedAt: 7 }]);
    });

    it('removes the version that was seen, and no other', async () => {
      await store.create(row);
      await store.replace(row);
      expect(await store.remove(row.id, 1)).toBe(false);
      expect(await store.get(row.id)).toBeDefined();
      expect(await store.remove(row.id, 2)).toBe(true);
      expect(await store.remove(row.id, 2)).toBe(false);
      expect(await store.list()).toEqual([]);
    });

    it('leaves the row of an IAM principal when its session goes', async () => {
      await store.create({ ...ofAlpha, principal: 'arn' });
      await store.removeOfSession(ofAlpha.id, 'one');
      expect(await store.list()).toHaveLength(1);
    });

    it('lists the keys of a session, and removes those of one incarnation', async () => {
      await store.create(row);
      await store.create(ofAlpha);
      await store.create({ ...ofAlpha, id: 'key_id_3', session: 'beta' });
      expect(await store.listBySession('alpha')).toEqual([{ id: 'key_id_2', incarnation: 'one' }]);
      await store.removeOfSession('key_id_2', 'two');
      expect(await store.get('key_id_2')).toBeDefined();
      await store.removeOfSession('key_id_2', 'one');
      expect(await store.get('key_id_2')).toBeUndefined();
      expect(await store.listBySession('alpha')).toEqual([]);
    });
  });
}
