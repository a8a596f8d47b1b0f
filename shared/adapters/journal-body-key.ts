import type { JournalSession } from '../ports/journal-store.ts';

export function journalBodyPrefix(session: JournalSession): string {
  return `journal/${session.name}/${session.incarnation}/`;
}

/** Padded, so that a listing is in the order of the journal. */
export function journalBodyKey(session: JournalSession, lsn: number, epoch: number): string {
  return `${journalBodyPrefix(session)}${String(lsn).padStart(16, '0')}-${String(epoch).padStart(10, '0')}`;
}

export function lsnOfBody(key: string): number {
  return Number(key.slice(key.lastIndexOf('/') + 1).split('-')[0]);
}
