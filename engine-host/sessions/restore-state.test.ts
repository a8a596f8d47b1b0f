import { describe, expect, it } from 'vitest';
import { LocalDataKeys } from '#shared/adapters/local-data-keys.ts';
import { MemoryCheckpointStore } from '#shared/adapters/memory/memory-checkpoint-store.ts';
import { MemoryJournalBodyStore } from '#shared/adapters/memory/memory-journal-body-store.ts';
import { MemoryJournalStore } from '#shared/adapters/memory/memory-journal-store.ts';
import { NotFoundError, NotOwnerError } from '#shared/domain/errors.ts';
import type { JournalRecord } from '#shared/ports/journal-store.ts';
import { ManualLease } from '../host/manual-lease.ts';
import { CorruptStateError } from './corrupt-state-error.ts';
import { abandonState, restoreState } from './restore-state.ts';
import { sessionRow } from './row-fixtures.ts';
import { SessionJournal } from './session-journal.ts';

const session = sessionRow();
const one = Uint8Array.of(1);

async function createJournal(
  ...written: readonly (readonly [lsn: number, epoch: number, kind: JournalRecord['kind']])[]
) {
  const stores = {
    journal: new MemoryJournalStore(),
    journalBodies: new MemoryJournalBodyStore(),
    dataKeys: new LocalDataKeys(new Uint8Array(32)),
    checkpoints: new MemoryCheckpointStore(),
  };
  const journal = new SessionJournal(session, stores);
  for (const [lsn, epoch, kind] of written)
    await journal.append(await journal.prepare(lsn, epoch, kind, kind === 'seal' ? [] : [[`k${lsn}`, one]]));
  const options = (epoch: number) => ({
    ...stores,
    session,
    lease: new ManualLease('socket-00', epoch),
    checkpoint: null,
    journal,
    onFailure: () => {},
  });
  return {
    stores,
    restore: (epoch: number) => restoreState(options(epoch)),
    abandon: (epoch: number) => abandonState(options(epoch)),
  };
}

describe('restoreState', () => {
  it('replays the journal and seals it', async () => {
    const { restore, stores } = await createJournal(
      [1, 1, 'seal'],
      [2, 1, 'changes'],
      [3, 4, 'seal'],
      [4, 4, 'changes'],
    );
    const restored = await restore(5);
    expect([...restored.values.keys()]).toEqual(['k2', 'k4']);
    expect(restored).toMatchObject({ lsn: 5, since: { records: 2 } });
    expect(
      await stores.journal.append(session, { lsn: 5, epoch: 4, batchId: 'late', kind: 'changes', body: one }),
    ).toEqual(expect.objectContaining({ kind: 'taken', epoch: 5 }));
  });

  it.each<[string, (readonly [number, number, JournalRecord['kind']])[]]>([
    [
      'a gap',
      [
        [1, 1, 'seal'],
        [2, 1, 'changes'],
        [4, 1, 'changes'],
      ],
    ],
    ['a missing beginning', [[2, 1, 'changes']]],
    ['changes before any seal', [[1, 1, 'changes']]],
    [
      'changes of an older epoch behind a seal',
      [
        [1, 1, 'seal'],
        [2, 2, 'seal'],
        [3, 1, 'changes'],
      ],
    ],
    [
      'changes of a newer epoch without its seal',
      [
        [1, 1, 'seal'],
        [2, 2, 'changes'],
      ],
    ],
    [
      'a seal of an older epoch behind a newer one',
      [
        [1, 2, 'seal'],
        [2, 1, 'seal'],
      ],
    ],
  ])('refuses a journal with %s, and does not seal it', async (_, written) => {
    const { restore, stores } = await createJournal(...written);
    await expect(restore(5)).rejects.toThrow(CorruptStateError);
    expect(await stores.journal.append(session, { lsn: 9, epoch: 4, batchId: 'b', kind: 'seal', body: one })).toEqual({
      kind: 'appended',
    });
  });

  it('refuses a record that was moved', async () => {
    const { restore, stores } = await createJournal([1, 1, 'seal'], [2, 1, 'changes']);
    for await (const record of stores.journal.read(session, 2))
      await stores.journal.append(session, { ...record, lsn: 3 });
    await expect(restore(2)).rejects.toThrow(CorruptStateError);
  });

  it('refuses a seal that was made of changes', async () => {
    const { restore, stores } = await createJournal([1, 1, 'seal']);
    const journal = new SessionJournal(session, stores);
    const { record } = await journal.prepare(2, 1, 'changes', [['k', one]]);
    await stores.journal.append(session, { ...record, kind: 'seal' });
    await expect(restore(2)).rejects.toThrow(CorruptStateError);
  });

  it('says so when the master key is another one', async () => {
    const { stores } = await createJournal([1, 1, 'seal'], [2, 1, 'changes']);
    const other = { ...stores, dataKeys: new LocalDataKeys(new Uint8Array(32).fill(9)) };
    const restored = restoreState({
      ...other,
      session,
      lease: new ManualLease(),
      checkpoint: null,
      journal: new SessionJournal(session, other),
      onFailure: () => {},
    });
    await expect(restored).rejects.toThrow(NotFoundError);
    await expect(restored).rejects.toThrow('STATE_KEY_FILE');
  });

  it('gives way to an owner with a higher epoch', async () => {
    const { restore } = await createJournal([1, 7, 'seal']);
    await expect(restore(6)).rejects.toThrow(NotOwnerError);
  });
});

describe('abandonState', () => {
  it('begins behind whatever is there, unread', async () => {
    const { abandon } = await createJournal([4, 1, 'changes'], [9, 2, 'changes']);
    expect(await abandon(3)).toEqual({ values: new Map(), lsn: 10, since: { records: 1, bytes: 0 } });
  });

  it('gives way to an owner with a higher epoch', async () => {
    const { abandon } = await createJournal([1, 7, 'seal']);
    await expect(abandon(6)).rejects.toThrow(NotOwnerError);
  });
});
