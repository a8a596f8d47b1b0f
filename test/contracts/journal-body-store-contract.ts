import { beforeEach, describe, expect, it } from 'vitest';
import { NotFoundError } from '#shared/domain/errors.ts';
import type { JournalBodyStore } from '#shared/ports/journal-store.ts';

const session = { name: 'alpha', incarnation: 'inc-1' };
const sibling = { name: 'alpha', incarnation: 'inc-10' };

/** What every store of large journal bodies does. @param factory gives an empty store */
export function defineJournalBodyStoreContract(name: string, factory: () => Promise<JournalBodyStore>): void {
  describe(`${name}: a journal body store`, () => {
    let store: JournalBodyStore;
    beforeEach(async () => {
      store = await factory();
    });

    it('gives back the bytes, also after a repeated write', async () => {
      const body = new Uint8Array(1_000_000).map((_, index) => index % 251);
      await store.put(session, 12, 3, body);
      await store.put(session, 12, 3, body);
      expect(Buffer.compare(await store.get(session, 12, 3), body)).toBe(0);
    });

    it('misses what is not there', async () => {
      await store.put(session, 12, 3, Uint8Array.of(1));
      await expect(store.get(session, 12, 4)).rejects.toBeInstanceOf(NotFoundError);
      await expect(store.get(sibling, 12, 3)).rejects.toBeInstanceOf(NotFoundError);
    });

    it('deletes what lies below a position, of this session only', async () => {
      for (const lsn of [9, 10, 11]) await store.put(session, lsn, 1, Uint8Array.of(lsn));
      await store.put(sibling, 1, 1, Uint8Array.of(1));
      await store.deleteBelow(session, 11);
      await store.deleteBelow(session, 11);
      for (const lsn of [9, 10]) await expect(store.get(session, lsn, 1)).rejects.toBeInstanceOf(NotFoundError);
      expect([...(await store.get(session, 11, 1))]).toEqual([11]);
      expect([...(await store.get(sibling, 1, 1))]).toEqual([1]);
    });
  });
}
