import type { SessionRow } from '../contracts/rows.ts';

/** Whose journal: a name may be used again after a deletion, the pair never is. */
export type JournalSession = Pick<SessionRow, 'name' | 'incarnation'>;

/** One append. */
export interface JournalRecord {
  /** Position in the session's journal: 1, 2, 3 … without gaps. */
  readonly lsn: number;
  /** Of the owner that wrote it; it never falls along a journal. */
  readonly epoch: number;
  /** Unique for each record that anyone ever tries to write: tells one's own from somebody else's. */
  readonly batchId: string;
  /** A `seal` is the first record of every owner: it takes the position at which the owner before would have gone on. */
  readonly kind: 'changes' | 'seal';
  readonly body: Uint8Array;
}

export type AppendOutcome =
  | { readonly kind: 'appended' }
  /** The position was taken before, by the record with this batch id: perhaps by an earlier try of the same one. */
  | { readonly kind: 'taken'; readonly epoch: number; readonly batchId: string };

/** The journals of all sessions. Reads are strongly consistent. */
export interface JournalStore {
  /**
   * Writes the record if its position is free. An error leaves open whether it was written: whoever needs to know
   * repeats it with the same batch id.
   */
  append(session: JournalSession, record: JournalRecord): Promise<AppendOutcome>;
  /** Records from a position on, in order, as far as there are any. */
  read(session: JournalSession, fromLsn: number): AsyncIterable<JournalRecord>;
  /**
   * Deletes the changes below a position. Seals stay until `sealsUntil` (seconds since 1970) at least: an owner that was
   * replaced and has not noticed would find its position free otherwise.
   */
  retire(session: JournalSession, belowLsn: number, sealsUntil: number): Promise<void>;
  /** Deletes everything of a session that is deleted itself. */
  clear(session: JournalSession): Promise<void>;
}

/** Where bodies lie that are too large for a record. A position's body is never another one. */
export interface JournalBodyStore {
  put(session: JournalSession, lsn: number, epoch: number, body: Uint8Array): Promise<void>;
  /** @throws NotFoundError */
  get(session: JournalSession, lsn: number, epoch: number): Promise<Uint8Array>;
  /** Deletes what lies below a position. */
  deleteBelow(session: JournalSession, lsn: number): Promise<void>;
}
