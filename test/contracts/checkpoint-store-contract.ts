import { beforeEach, describe, expect, it } from 'vitest';
import { ConflictError, NotFoundError } from '#shared/domain/errors.ts';
import type { Checkpoint, CheckpointStore } from '#shared/ports/state-store.ts';
import { sessionRow } from './rows.ts';

const bytes = (text: string) => Uint8Array.from(Buffer.from(text));

/** What every checkpoint store does. @param factory gives an empty store */
export function defineCheckpointStoreContract(name: string, factory: () => Promise<CheckpointStore>): void {
  describe(`${name}: a checkpoint store`, () => {
    let store: CheckpointStore;
    const session = sessionRow();
    beforeEach(async () => {
      store = await factory();
    });

    const exists = async (checkpoint: Checkpoint) =>
      await store.get(checkpoint).then(
        () => true,
        (error) => {
          expect(error).toBeInstanceOf(NotFoundError);
          return false;
        },
      );

    it('gives back the bytes', async () => {
      const body = new Uint8Array(300_000).map((_, index) => index % 251);
      const checkpoint = await store.put(session, 12, 3, body);
      expect(checkpoint).toMatchObject({ lsn: 12, epoch: 3 });
      expect(checkpoint.key).toMatch(/^checkpoints\/alpha\/inc-1\/0*12-0*3$/);
      expect(Buffer.compare(await store.get(checkpoint), body)).toBe(0);
    });

    it('misses what is not there', async () => {
      await expect(store.get({ key: 'checkpoints/alpha/inc-1/0-0', lsn: 0, epoch: 0 })).rejects.toBeInstanceOf(
        NotFoundError,
      );
    });

    it('never overwrites, but takes a repeated write for what it is', async () => {
      const checkpoint = await store.put(session, 1, 1, bytes('first'));
      expect(await store.put(session, 1, 1, bytes('first'))).toEqual(checkpoint);
      await expect(store.put(session, 1, 1, bytes('second'))).rejects.toBeInstanceOf(ConflictError);
      expect(Buffer.from(await store.get(checkpoint)).toString()).toBe('first');
    });

    it('keeps the newest, the one in the row, and other sessions', async () => {
      const put = (lsn: number, epoch: number) => store.put(session, lsn, epoch, bytes(`${lsn}`));
      const oldest = await put(1, 1);
      const pointedTo = await put(9, 1);
      const outdatedOwners = await put(5000, 1);
      const newest = await put(10, 2);
      const second = await put(9, 2);
      const sibling = await store.put({ ...session, incarnation: 'inc-10' }, 1, 1, bytes('x'));
      await store.prune({ ...session, checkpoint: pointedTo }, 2);
      const kept = await Promise.all([oldest, pointedTo, outdatedOwners, newest, second, sibling].map(exists));
      expect(kept).toEqual([false, true, false, true, true, true]);
    });
  });
}
