import type { JobRow, JobState } from '../contracts/jobs.ts';

/** What the index of open jobs knows of one. */
export interface OpenJob {
  readonly session: string;
  readonly jobId: string;
  /** Commands have none. */
  readonly messageId?: string | undefined;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly wokenAt?: number | undefined;
  readonly wakes?: number | undefined;
}

/** An end that needs no owner. */
export interface EarlyEnd {
  readonly state: 'CANCELLED' | 'EXPIRED';
  readonly error: { readonly code: string; readonly message: string };
}

export interface JobsQuery {
  readonly state?: JobState | undefined;
  readonly limit: number;
  readonly offset: number;
}

export interface JobOutcome {
  readonly state: JobState;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: string; readonly message: string };
  /** See `JobRow.poison`. */
  readonly poison?: string | undefined;
}

/** An end that is still to be told. */
export interface UntoldEnd {
  readonly state: 'FAILED';
  readonly error: { readonly code: string; readonly message: string };
}

/** Until when a job waits, and what for; for people to see. */
export interface JobWait {
  readonly notBefore: number;
  readonly waitsFor: string;
}

/** The jobs table. Reads are strongly consistent unless said. */
export interface JobStore {
  /** @throws ConflictError when the job exists */
  create(row: JobRow): Promise<void>;
  get(session: string, jobId: string): Promise<JobRow | undefined>;
  /**
   * Freezes the content before the first try. Keeps content that is already frozen.
   * @returns the row as it is now; @throws NotOwnerError when a higher epoch has written
   */
  prepare(
    session: string,
    jobId: string,
    epoch: number,
    content: { readonly content: string; readonly wire?: Record<string, string> },
  ): Promise<JobRow>;
  /**
   * Notes that a job waits. Does nothing once its content is frozen or it has ended.
   * @throws NotOwnerError when a higher epoch has written
   */
  defer(session: string, jobId: string, epoch: number, wait: JobWait): Promise<void>;
  /** Records an end or a step forward; never a step back. @throws NotOwnerError when a higher epoch has written */
  advance(session: string, jobId: string, epoch: number, outcome: JobOutcome): Promise<void>;
  /**
   * Ends a job that is QUEUED, whoever owns its shard: either this or `prepare` wins. Does nothing in any other state.
   * @returns the row as it is then
   */
  endEarly(session: string, jobId: string, end: EarlyEnd): Promise<JobRow | undefined>;
  /**
   * Ends an open job and keeps it listed among the open ones until `noteTold`. Does nothing to one that has ended.
   * @returns the row as it is then, with `openShard` while it is listed; @throws NotOwnerError when a higher epoch has written
   */
  endUntold(session: string, jobId: string, epoch: number, end: UntoldEnd): Promise<JobRow | undefined>;
  /** A job that has ended is listed no longer. Nothing else of the row changes. */
  noteTold(session: string, jobId: string): Promise<void>;
  /** Notes that an open job's message was put on the queue again. */
  noteWake(session: string, jobId: string): Promise<void>;
  /**
   * The open jobs of a shard, and those whose end is untold, by session, each session's oldest first. By index, eventually
   * consistent.
   * @param session the only one that is wanted
   */
  listOpen(shard: string, session?: string): Promise<readonly OpenJob[]>;
  /** How many open jobs a session of the shard has, counted up to `atMost`. By index, eventually consistent. */
  countOpen(shard: string, session: string, atMost: number): Promise<number>;
  /** Jobs of a session, newest first. By index, eventually consistent. */
  list(session: string, query: JobsQuery): Promise<readonly JobRow[]>;
}
