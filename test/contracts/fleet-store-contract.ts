import { beforeEach, describe, expect, it } from 'vitest';
import type { FleetStore } from '#shared/ports/fleet-store.ts';

/** What every fleet store does. @param factory gives an empty store */
export function defineFleetStoreContract(name: string, factory: () => Promise<FleetStore>): void {
  describe(`${name}: a fleet store`, () => {
    let store: FleetStore;
    beforeEach(async () => {
      store = await factory();
    });

    const row = (version: number, hosts = 2) => ({ pool: 'socket' as const, version, needs: [{ at: 5, hosts }] });

    it('gives what was put, pool by pool', async () => {
      expect(await store.get('socket')).toBeUndefined();
      expect(await store.put(row(1))).toBe(true);
      expect(await store.put(row(2, 7))).toBe(true);
      expect(await store.get('socket')).toEqual(row(2, 7));
      expect(await store.get('browser')).toBeUndefined();
    });

    it('takes one of many that were decided at the same time', async () => {
      for (const version of [1, 2]) {
        const taken = await Promise.all([1, 2, 3, 4].map((hosts) => store.put(row(version, hosts))));
        expect(taken.filter((isTaken) => isTaken)).toHaveLength(1);
      }
    });

    it('takes none that leaves decisions out, or comes late', async () => {
      expect(await store.put(row(2))).toBe(false);
      await store.put(row(1));
      await store.put(row(2));
      expect(await store.put(row(1))).toBe(false);
      expect(await store.put(row(2))).toBe(false);
      expect(await store.put(row(4))).toBe(false);
      expect(await store.get('socket')).toEqual(row(2));
    });
  });
}
