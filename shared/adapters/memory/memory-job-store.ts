import { FINISHED_STATES, type JobRow, jobRowSchema, OPEN_STATES } from '../../contracts/jobs.ts';
import { ConflictError, NotFoundError, NotOwnerError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EarlyEnd, JobOutcome, JobStore, JobsQuery, JobWait, OpenJob, UntoldEnd } from '../../ports/job-store.ts';
import { openPlace, statesBefore } from '../job-steps.ts';
import { systemClock } from '../system-clock.ts';

export class MemoryJobStore implements JobStore {
  readonly #rows = new Map<string, JobRow>();
  readonly #clock: Clock;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  async create(row: JobRow): Promise<void> {
    if (this.#rows.has(keyOf(row.session, row.jobId))) throw new ConflictError(`Job '${row.jobId}' already exists`);
    this.#write(row);
  }

  async get(session: string, jobId: string): Promise<JobRow | undefined> {
    return structuredClone(this.#rows.get(keyOf(session, jobId)));
  }

  async prepare(
    session: string,
    jobId: string,
    epoch: number,
    frozen: { readonly content: string; readonly wire?: Record<string, string> },
  ): Promise<JobRow> {
    const row = this.#rows.get(keyOf(session, jobId));
    if (row === undefined) throw new NotFoundError(`Job '${jobId}' does not exist`);
    assertEpoch(row, epoch);
    if (FINISHED_STATES.has(row.state)) return structuredClone(row);
    const attempt = { epoch, updatedAt: this.#clock.now(), attempts: row.attempts + 1 };
    if (row.content !== undefined) return this.#write({ ...row, ...attempt });
    return this.#write({ ...row, ...frozen, ...attempt, state: 'PREPARED' });
  }

  async defer(session: string, jobId: string, epoch: number, { notBefore, waitsFor }: JobWait): Promise<void> {
    const row = this.#rows.get(keyOf(session, jobId));
    if (row === undefined) return;
    assertEpoch(row, epoch);
    if (row.state !== 'QUEUED') return;
    this.#write({ ...row, notBefore, waitsFor, epoch, updatedAt: this.#clock.now() });
  }

  async advance(session: string, jobId: string, epoch: number, outcome: JobOutcome): Promise<void> {
    const row = this.#rows.get(keyOf(session, jobId));
    if (row === undefined) return;
    assertEpoch(row, epoch);
    if (!statesBefore(outcome.state).includes(row.state)) return;
    const { state, result, error, poison } = outcome;
    this.#write({
      ...row,
      state,
      ...(result !== undefined && { result }),
      ...(error !== undefined && { error }),
      ...(poison !== undefined && { poison }),
      epoch,
      updatedAt: this.#clock.now(),
    });
  }

  async endEarly(session: string, jobId: string, { state, error }: EarlyEnd): Promise<JobRow | undefined> {
    const row = this.#rows.get(keyOf(session, jobId));
    if (row?.state !== 'QUEUED') return structuredClone(row);
    return this.#write({ ...row, state, error: { ...error }, updatedAt: this.#clock.now() });
  }

  async endUntold(
    session: string,
    jobId: string,
    epoch: number,
    { state, error }: UntoldEnd,
  ): Promise<JobRow | undefined> {
    const row = this.#rows.get(keyOf(session, jobId));
    if (row === undefined) return undefined;
    assertEpoch(row, epoch);
    if (FINISHED_STATES.has(row.state)) return structuredClone(row);
    return this.#put({ ...row, state, error: { ...error }, epoch, updatedAt: this.#clock.now() });
  }

  async noteTold(session: string, jobId: string): Promise<void> {
    const row = this.#rows.get(keyOf(session, jobId));
    if (row !== undefined && FINISHED_STATES.has(row.state)) this.#write(row);
  }

  async noteWake(session: string, jobId: string): Promise<void> {
    const row = this.#rows.get(keyOf(session, jobId));
    if (row === undefined || !OPEN_STATES.includes(row.state)) return;
    this.#write({ ...row, wokenAt: this.#clock.now(), wakes: (row.wakes ?? 0) + 1 });
  }

  async listOpen(shard: string, session?: string): Promise<readonly OpenJob[]> {
    const isWanted = (row: JobRow) => row.openShard === shard && (session === undefined || row.session === session);
    const rows = [...this.#rows.values()].filter(isWanted);
    const order = (a: JobRow, b: JobRow) => (openPlace(a) < openPlace(b) ? -1 : 1);
    return rows.sort(order).map(({ session, jobId, messageId, createdAt, expiresAt, wokenAt, wakes }) => ({
      session,
      jobId,
      createdAt,
      expiresAt,
      ...(messageId !== undefined && { messageId }),
      ...(wokenAt !== undefined && { wokenAt }),
      ...(wakes !== undefined && { wakes }),
    }));
  }

  async countOpen(shard: string, session: string, atMost: number): Promise<number> {
    const isCounted = (row: JobRow) => row.openShard === shard && row.session === session;
    return Math.min(atMost, [...this.#rows.values()].filter(isCounted).length);
  }

  async list(session: string, { state, limit, offset }: JobsQuery): Promise<readonly JobRow[]> {
    const isWanted = (row: JobRow) => row.session === session && (state === undefined || row.state === state);
    const rows = [...this.#rows.values()].filter(isWanted).sort((a, b) => b.createdAt - a.createdAt);
    return structuredClone(rows.slice(offset, offset + limit));
  }

  #write(row: JobRow): JobRow {
    const { openShard: _openShard, ...others } = row;
    return this.#put(FINISHED_STATES.has(row.state) ? others : row);
  }

  #put(row: JobRow): JobRow {
    const written = jobRowSchema.parse(structuredClone(row));
    this.#rows.set(keyOf(row.session, row.jobId), written);
    return structuredClone(written);
  }
}

function keyOf(session: string, jobId: string): string {
  return `${session}\0${jobId}`;
}

function assertEpoch(row: JobRow, epoch: number): void {
  if (row.epoch !== undefined && row.epoch > epoch) {
    throw new NotOwnerError(`Job '${row.jobId}' was written under a higher epoch`);
  }
}
