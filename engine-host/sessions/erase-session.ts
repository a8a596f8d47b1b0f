import { mediaPrefixes } from '#shared/contracts/media-keys.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { type ShardLease, whileOwned } from '../host/lease.ts';
import { clearJournal } from './session-journal.ts';
import type { SessionRunnerDeps } from './session-runner-deps.ts';

type Stores = Pick<
  SessionRunnerDeps,
  'readModels' | 'eventLog' | 'media' | 'checkpoints' | 'journal' | 'journalBodies' | 'dataKeys'
>;

/**
 * Deletes all that is stored of a session but its row. Whoever is interrupted leaves the row, and with it the rest to
 * the next owner. The login goes last: a next owner that still finds it sees that the device is unlinked.
 * @param over aborted when the rest is another's
 * @returns false when `over`
 * @throws NotOwnerError
 */
export async function eraseSession(
  row: SessionRow,
  lease: ShardLease,
  stores: Stores,
  over: AbortSignal,
  onFailure: (error: unknown, attempt: number) => void,
): Promise<boolean> {
  const owned = <T>(work: () => Promise<T>) => whileOwned(lease, work, onFailure);
  // Log and media are a name's, not an incarnation's: nobody may go on with them once the row can be another's.
  const eraseInPieces = async (erasePiece: () => Promise<boolean>) => {
    const erase = () => {
      lease.assertOwned();
      return erasePiece();
    };
    while (!over.aborted && (await owned(erase)));
  };
  for (const readModel of stores.readModels) await owned(() => readModel.clear(row.name));
  await eraseInPieces(async () => !(await stores.eventLog.deleteSome(row.name)));
  for (const prefix of mediaPrefixes(row.name)) await eraseInPieces(() => stores.media.deleteSome(prefix));
  if (over.aborted) return false;
  await owned(() => stores.checkpoints.prune({ ...row, checkpoint: null }, 0));
  await owned(() => clearJournal(row, stores));
  return true;
}
