import type { SessionRow } from '../contracts/rows.ts';

type Named = Pick<SessionRow, 'name' | 'incarnation'>;

export function checkpointPrefix(session: Named): string {
  return `checkpoints/${session.name}/${session.incarnation}/`;
}

/** Padded, so that a listing is in the order of the log. */
export function checkpointKey(session: Named, lsn: number, epoch: number): string {
  return `${checkpointPrefix(session)}${String(lsn).padStart(16, '0')}-${String(epoch).padStart(10, '0')}`;
}

/**
 * What pruning deletes. A newer epoch counts before a longer log: an owner that lost the shard may have written a
 * high position that nobody will ever point to.
 */
export function prunableKeys(keys: readonly string[], keep: number, pointedTo: string | undefined): readonly string[] {
  const newestFirst = [...keys].sort((a, b) => {
    const [[lsnA, epochA], [lsnB, epochB]] = [partsOf(a), partsOf(b)];
    return epochB - epochA || lsnB - lsnA;
  });
  return newestFirst.slice(keep).filter((key) => key !== pointedTo);
}

function partsOf(key: string): readonly [number, number] {
  const [lsn, epoch] = key.slice(key.lastIndexOf('/') + 1).split('-');
  return [Number(lsn), Number(epoch)];
}
