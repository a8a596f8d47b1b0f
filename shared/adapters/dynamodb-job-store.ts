import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { FINISHED_STATES, type JobRow, type JobState, jobRowSchema, OPEN_STATES } from '../contracts/jobs.ts';
import { INDEXES, TABLES } from '../contracts/resources.ts';
import { ConflictError, DependencyError, NotFoundError, NotOwnerError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { EarlyEnd, JobOutcome, JobStore, JobsQuery, JobWait, OpenJob, UntoldEnd } from '../ports/job-store.ts';
import { type Expression, REMOVE } from './dynamodb-expression.ts';
import { DynamoDbTable } from './dynamodb-table.ts';
import { openPlace, openPlacePrefix, statesBefore } from './job-steps.ts';
import { systemClock } from './system-clock.ts';

const LONGEST_PAGE = 1000;
const openJobSchema = jobRowSchema.pick({
  session: true,
  jobId: true,
  messageId: true,
  createdAt: true,
  expiresAt: true,
  wokenAt: true,
  wakes: true,
});
const listedSchema = z.object({ jobId: z.string(), state: z.string() });
/** Takes the row out of the index of open jobs. */
const CLOSED = { openShard: REMOVE, openPlace: REMOVE } as const;

/** `prepare` counts an attempt. `advance` of a row that has expired does nothing. */
export class DynamoDbJobStore implements JobStore {
  readonly #table: DynamoDbTable;
  readonly #clock: Clock;

  constructor(client: DynamoDBDocumentClient, tableName: string = TABLES.jobs, clock: Clock = systemClock) {
    this.#table = new DynamoDbTable(client, tableName);
    this.#clock = clock;
  }

  async create(row: JobRow): Promise<void> {
    const item = row.openShard === undefined ? row : { ...row, openPlace: openPlace(row) };
    if (!(await this.#table.create(item, 'jobId'))) throw new ConflictError(`Job '${row.jobId}' already exists`);
  }

  async get(session: string, jobId: string): Promise<JobRow | undefined> {
    const item = await this.#table.get({ session, jobId });
    return item && jobRowSchema.parse(item);
  }

  async prepare(
    session: string,
    jobId: string,
    epoch: number,
    frozen: { readonly content: string; readonly wire?: Record<string, string> },
  ): Promise<JobRow> {
    const first = await this.#table.update({ session, jobId }, (e) => ({
      update: e.update({ ...frozen, ...this.#stamp(epoch), state: 'PREPARED' }, countAttempt(e)),
      condition: `attribute_not_exists(${e.name('content')}) AND ${writable(e, epoch, OPEN_STATES)}`,
    }));
    if (first !== undefined) return jobRowSchema.parse(first);

    const again = await this.#table.update({ session, jobId }, (e) => ({
      update: e.update(this.#stamp(epoch), countAttempt(e)),
      condition: `attribute_exists(${e.name('content')}) AND ${writable(e, epoch, OPEN_STATES)}`,
    }));
    if (again !== undefined) return jobRowSchema.parse(again);

    const row = await this.get(session, jobId);
    if (row === undefined) throw new NotFoundError(`Job '${jobId}' does not exist`);
    assertEpoch(row, epoch);
    if (!FINISHED_STATES.has(row.state)) throw new DependencyError(`Job '${jobId}' was changed while it was prepared`);
    return row;
  }

  async defer(session: string, jobId: string, epoch: number, { notBefore, waitsFor }: JobWait): Promise<void> {
    const item = await this.#table.update({ session, jobId }, (e) => ({
      update: e.update({ notBefore, waitsFor, ...this.#stamp(epoch) }),
      condition: writable(e, epoch, ['QUEUED']),
    }));
    if (item !== undefined) return;
    const row = await this.get(session, jobId);
    if (row !== undefined) assertEpoch(row, epoch);
  }

  async advance(session: string, jobId: string, epoch: number, outcome: JobOutcome): Promise<void> {
    const { state, result, error, poison } = outcome;
    const item = await this.#table.update({ session, jobId }, (e) => ({
      update: e.update({
        state,
        result,
        error,
        poison,
        ...this.#stamp(epoch),
        ...(FINISHED_STATES.has(state) && CLOSED),
      }),
      condition: writable(e, epoch, statesBefore(state)),
    }));
    if (item !== undefined) return;
    const row = await this.get(session, jobId);
    if (row !== undefined) assertEpoch(row, epoch);
  }

  async endEarly(session: string, jobId: string, { state, error }: EarlyEnd): Promise<JobRow | undefined> {
    const item = await this.#table.update({ session, jobId }, (e) => ({
      update: e.update({ state, error, updatedAt: this.#clock.now(), ...CLOSED }),
      condition: isIn(e, ['QUEUED']),
    }));
    return item === undefined ? await this.get(session, jobId) : jobRowSchema.parse(item);
  }

  async endUntold(
    session: string,
    jobId: string,
    epoch: number,
    { state, error }: UntoldEnd,
  ): Promise<JobRow | undefined> {
    const item = await this.#table.update({ session, jobId }, (e) => ({
      update: e.update({ state, error, ...this.#stamp(epoch) }),
      condition: writable(e, epoch, OPEN_STATES),
    }));
    if (item !== undefined) return jobRowSchema.parse(item);
    const row = await this.get(session, jobId);
    if (row !== undefined) assertEpoch(row, epoch);
    return row;
  }

  async noteTold(session: string, jobId: string): Promise<void> {
    await this.#table.update({ session, jobId }, (e) => ({
      update: e.update(CLOSED),
      condition: isIn(e, [...FINISHED_STATES]),
    }));
  }

  async noteWake(session: string, jobId: string): Promise<void> {
    await this.#table.update({ session, jobId }, (e) => {
      const wakes = e.name('wakes');
      const more = `${wakes} = if_not_exists(${wakes}, ${e.value(0)}) + ${e.value(1)}`;
      return { update: e.update({ wokenAt: this.#clock.now() }, more), condition: isIn(e, OPEN_STATES) };
    });
  }

  async listOpen(shard: string, session?: string): Promise<readonly OpenJob[]> {
    const open: OpenJob[] = [];
    const items = this.#table.query((e) => isOpenIn(e, shard, session), { IndexName: INDEXES.openJobs });
    for await (const item of items) open.push(openJobSchema.parse(item));
    return open;
  }

  async countOpen(shard: string, session: string, atMost: number): Promise<number> {
    return await this.#table.count((e) => isOpenIn(e, shard, session), INDEXES.openJobs, atMost);
  }

  async list(session: string, { state, limit, offset }: JobsQuery): Promise<readonly JobRow[]> {
    const ids: string[] = [];
    const items = this.#table.query((e) => `${e.name('session')} = ${e.value(session)}`, {
      IndexName: INDEXES.jobsBySession,
      ScanIndexForward: false,
      Limit: LONGEST_PAGE,
    });
    for await (const item of items) {
      const listed = listedSchema.parse(item);
      if (state === undefined || listed.state === state) ids.push(listed.jobId);
      if (ids.length >= offset + limit) break;
    }
    const wanted = ids.slice(offset);
    const rows = await this.#table.getMany(wanted.map((jobId) => ({ session, jobId })));
    const byId = new Map(rows.map((row) => [row.jobId, row]));
    return wanted.flatMap((jobId) => {
      const row = byId.get(jobId);
      return row === undefined ? [] : [jobRowSchema.parse(row)];
    });
  }

  #stamp(epoch: number) {
    return { epoch, updatedAt: this.#clock.now() };
  }
}

function isOpenIn(e: Expression, shard: string, session: string | undefined): string {
  const ofShard = `${e.name('openShard')} = ${e.value(shard)}`;
  if (session === undefined) return ofShard;
  return `${ofShard} AND begins_with(${e.name('openPlace')}, ${e.value(openPlacePrefix(session))})`;
}

function countAttempt(e: Expression): string {
  const attempts = e.name('attempts');
  return `${attempts} = ${attempts} + ${e.value(1)}`;
}

/** No higher epoch has written, and the row (which exists, having a state) is in one of the states. */
function writable(e: Expression, epoch: number, states: readonly JobState[]): string {
  const column = e.name('epoch');
  return `(attribute_not_exists(${column}) OR ${column} <= ${e.value(epoch)}) AND ${isIn(e, states)}`;
}

function isIn(e: Expression, states: readonly JobState[]): string {
  return `${e.name('state')} IN (${states.map((state) => e.value(state)).join(', ')})`;
}

function assertEpoch(row: JobRow, epoch: number): void {
  if (row.epoch !== undefined && row.epoch > epoch) {
    throw new NotOwnerError(`Job '${row.jobId}' was written under a higher epoch`);
  }
}
