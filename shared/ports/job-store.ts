import type { JobRow, JobState } from '../contracts/jobs.ts';

export interface JobOutcome {
  readonly state: JobState;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Until when a job waits, and what for; for people to see. */
export interface JobWait {
  readonly notBefore: number;
  readonly waitsFor: string;
}

/** The jobs table. Reads are strongly consistent. */
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
}
