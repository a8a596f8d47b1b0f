import { beforeEach, describe, expect, it } from 'vitest';
import { NotFoundError } from '#shared/domain/errors.ts';
import type { DataKeyProvider } from '#shared/ports/data-keys.ts';

const session = { name: 'alpha', incarnation: 'inc-1' };
const MOST_ID_BYTES = 16;

/** Providers over the same stores, each as another process has it. */
export interface DataKeysUnderTest {
  provider(): DataKeyProvider;
  /** The same under another master key. */
  stranger(): DataKeyProvider;
}

/** What every provider of data keys does. @param factory gives empty stores */
export function defineDataKeysContract(name: string, factory: () => Promise<DataKeysUnderTest>): void {
  describe(`${name}: data keys`, () => {
    let keys: DataKeysUnderTest;
    beforeEach(async () => {
      keys = await factory();
    });

    it('are found again by another process as soon as they are given out', async () => {
      const { id, key } = await keys.provider().current(session);
      expect(key).toHaveLength(32);
      expect(new Set(key).size).toBeGreaterThan(1);
      expect(Buffer.compare(await keys.provider().find(session, id), key)).toBe(0);
    });

    it('have short ids, one for all bodies of a while', async () => {
      const provider = keys.provider();
      const { id, key } = await provider.current(session);
      expect(id.length).toBeLessThanOrEqual(MOST_ID_BYTES);
      const again = await provider.current(session);
      expect(Buffer.compare(again.id, id)).toBe(0);
      expect(Buffer.compare(again.key, key)).toBe(0);
      expect(Buffer.compare(await provider.find(session, id), key)).toBe(0);
    });

    it('are found by both of two processes that ask at the same time', async () => {
      const [a, b] = [keys.provider(), keys.provider()];
      const [ofA, ofB] = await Promise.all([a.current(session), b.current(session)]);
      expect(Buffer.compare(await b.find(session, ofA.id), ofA.key)).toBe(0);
      expect(Buffer.compare(await a.find(session, ofB.id), ofB.key)).toBe(0);
    });

    it('are not to be had under another master key, and it says so', async () => {
      const { id } = await keys.provider().current(session);
      await expect(keys.stranger().find(session, id)).rejects.toThrow(NotFoundError);
      await expect(keys.stranger().find(session, id)).rejects.toThrow(/another .*key .*STATE_/);
    });

    it('have no ids but their own', async () => {
      const { id } = await keys.provider().current(session);
      for (const wrong of [id.subarray(1), Buffer.concat([id, id]), new Uint8Array()])
        await expect(keys.provider().find(session, wrong)).rejects.toThrow(NotFoundError);
    });
  });
}
