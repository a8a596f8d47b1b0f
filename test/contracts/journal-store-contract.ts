import { beforeEach, describe, expect, it } from 'vitest';
import type { JournalRecord, JournalStore } from '#shared/ports/journal-store.ts';

const session = { name: 'alpha', incarnation: 'inc-1' };
const FAR = 4_000_000_000;

function record(lsn: number, fields: Partial<JournalRecord> = {}): JournalRecord {
  return { lsn, epoch: 1, batchId: `b${lsn}`, kind: 'changes', body: Uint8Array.of(lsn % 256), ...fields };
}

/** What every journal store does. @param factory gives an empty store */
export function defineJournalStoreContract(name: string, factory: () => Promise<JournalStore>): void {
  describe(`${name}: a journal store`, () => {
    let store: JournalStore;
    beforeEach(async () => {
      store = await factory();
    });

    const read = async (from: number, of = session) => {
      const records: JournalRecord[] = [];
      for await (const found of store.read(of, from)) records.push({ ...found, body: Uint8Array.from(found.body) });
      return records;
    };
    const write = async (...records: readonly JournalRecord[]) => {
      for (const each of records) expect(await store.append(session, each)).toEqual({ kind: 'appended' });
    };

    it('gives back what was appended, in order, from a position on', async () => {
      const body = new Uint8Array(200_000).map((_, index) => index % 251);
      await write(record(9), record(10, { body, kind: 'seal', epoch: 2 }), record(11), record(2));
      expect((await read(1)).map(({ lsn }) => lsn)).toEqual([2, 9, 10, 11]);
      expect(await read(10)).toEqual([record(10, { body, kind: 'seal', epoch: 2 }), record(11)]);
      expect(await read(12)).toEqual([]);
    });

    it('reads more than one page', async () => {
      const body = new Uint8Array(300_000);
      await write(...[1, 2, 3, 4, 5, 6].map((lsn) => record(lsn, { body })));
      expect((await read(1)).map(({ lsn }) => lsn)).toEqual([1, 2, 3, 4, 5, 6]);
    });

    it('never overwrites, and says whose record is there', async () => {
      await write(record(1, { epoch: 3, batchId: 'mine' }));
      expect(await store.append(session, record(1, { epoch: 4, batchId: 'other' }))).toEqual({
        kind: 'taken',
        epoch: 3,
        batchId: 'mine',
      });
      expect(await read(1)).toEqual([record(1, { epoch: 3, batchId: 'mine' })]);
    });

    it('lets one of many win a position', async () => {
      const ids = ['a', 'b', 'c', 'd', 'e'];
      const outcomes = await Promise.all(ids.map((batchId) => store.append(session, record(1, { batchId }))));
      const [winner] = await read(1);
      expect(outcomes.map(({ kind }) => kind).filter((kind) => kind === 'appended')).toHaveLength(1);
      expect(outcomes[ids.indexOf(winner?.batchId ?? '')]).toEqual({ kind: 'appended' });
    });

    it('tells sessions and incarnations apart', async () => {
      const others = [
        { name: 'alpha', incarnation: 'inc-2' },
        { name: 'beta', incarnation: 'inc-1' },
      ];
      await write(record(1));
      for (const other of others) {
        expect(await read(1, other)).toEqual([]);
        await store.append(other, record(1));
      }
      await store.clear(session);
      expect(await read(1)).toEqual([]);
      for (const other of others) expect(await read(1, other)).toHaveLength(1);
    });

    it('retires changes below a position, and keeps seals', async () => {
      await write(record(1, { kind: 'seal' }), record(2), record(3), record(4, { kind: 'seal' }), record(5), record(6));
      await store.retire(session, 5, FAR);
      await store.retire(session, 5, FAR);
      expect((await read(1)).map(({ lsn }) => lsn)).toEqual([1, 4, 5, 6]);
      expect(await store.append(session, record(4, { batchId: 'late' }))).toMatchObject({ kind: 'taken' });
    });

    it('retires and clears many', async () => {
      await write(...Array.from({ length: 60 }, (_, index) => record(index + 1)));
      await store.retire(session, 31, FAR);
      expect((await read(1)).map(({ lsn }) => lsn)).toEqual(Array.from({ length: 30 }, (_, index) => index + 31));
      await store.clear(session);
      expect(await read(1)).toEqual([]);
    });
  });
}
