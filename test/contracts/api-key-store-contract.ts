import { beforeEach, describe, expect, it } from 'vitest';
import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import type { ApiKeyStore } from '#shared/ports/api-key-store.ts';

const row: ApiKeyRow = {
  keyHash: 'ab'.repeat(32),
  id: 'key_1',
  isAdmin: false,
  isActive: true,
  session: null,
  actions: ['read', 'send'],
  createdAt: 1,
};

/** What every key store does. @param factory gives an empty store */
export function defineApiKeyStoreContract(name: string, factory: () => Promise<ApiKeyStore>): void {
  describe(`${name}: a key store`, () => {
    let store: ApiKeyStore;
    beforeEach(async () => {
      store = await factory();
    });

    it('finds a key by its hash only', async () => {
      await store.put(row);
      expect(await store.get(row.keyHash)).toEqual(row);
      expect(await store.get('cd'.repeat(32))).toBeUndefined();
    });

    it('keeps the last that was put', async () => {
      await store.put(row);
      await store.put({ ...row, isActive: false, session: 'alpha' });
      expect(await store.get(row.keyHash)).toMatchObject({ isActive: false, session: 'alpha' });
    });
  });
}
