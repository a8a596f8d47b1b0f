import type { SessionRow } from '../contracts/rows.ts';
import type { Me, SessionConfig, SessionStatus } from '../contracts/session.ts';

/** What the API may change in a session's row: only what is wanted, never what is. */
export interface SessionIntent {
  readonly desired?: SessionRow['desired'];
  readonly config?: SessionConfig;
  readonly restartToken?: string;
  readonly logoutToken?: string;
  /** Shown until the owner reports what is true. */
  readonly status?: SessionStatus;
}

/** What the shard's owner reports of a session. Only the given fields change. */
export interface SessionReport {
  readonly status?: SessionStatus;
  readonly statusReason?: string | null;
  readonly statusData?: Record<string, unknown> | null;
  readonly statuses?: SessionRow['statuses'];
  readonly untold?: SessionRow['untold'];
  readonly reservedSeq?: number;
  readonly me?: Me | null;
  readonly qr?: SessionRow['qr'];
  readonly activityAt?: number;
  readonly nextSendAt?: number;
  readonly hostId?: string | null;
  readonly checkpoint?: SessionRow['checkpoint'];
  readonly restartDone?: string;
  readonly logoutDone?: string;
}

/** The sessions table. All reads are strongly consistent unless said. */
export interface SessionStore {
  /** @throws ConflictError when the name exists */
  create(row: SessionRow): Promise<void>;
  get(name: string): Promise<SessionRow | undefined>;
  /** All sessions, in no order; pages are joined. */
  list(): Promise<readonly SessionRow[]>;
  /** By index, eventually consistent. */
  listByShard(shard: string): Promise<readonly SessionRow[]>;
  /** Sessions of a shard, deleted ones that are still there included. By index, eventually consistent. */
  countByShard(shard: string): Promise<number>;
  /** @returns the new row; @throws NotFoundError when there is no such row or its incarnation is another */
  intend(name: string, incarnation: string, intent: SessionIntent): Promise<SessionRow>;
  /**
   * The position of the checkpoint never falls.
   * @throws NotOwnerError when a higher epoch has written, a later checkpoint is there, or the row is gone or another
   * incarnation's
   */
  report(name: string, incarnation: string, epoch: number, report: SessionReport): Promise<void>;
  /** Removes the row. @throws NotOwnerError as above */
  remove(name: string, incarnation: string, epoch: number): Promise<void>;
}
