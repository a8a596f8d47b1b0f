import type { SessionRow } from '../contracts/rows.ts';

export interface Checkpoint {
  readonly key: string;
  readonly lsn: number;
  readonly epoch: number;
}

/** Where checkpoints of auth state lie. Objects are immutable; the pointer is in the session's row. */
export interface CheckpointStore {
  /** Stores `body` under `checkpoints/{session}/{incarnation}/{lsn}-{epoch}` and returns where. */
  put(session: SessionRow, lsn: number, epoch: number, body: Uint8Array): Promise<Checkpoint>;
  /** @throws NotFoundError when the object is missing */
  get(checkpoint: Checkpoint): Promise<Uint8Array>;
  /** Deletes all but the newest `keep` checkpoints of the session. */
  prune(session: SessionRow, keep: number): Promise<void>;
}
