import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { FINISHED_STATES, type JobRow, type JobState, jobRowSchema } from '../contracts/jobs.ts';
import { TABLES } from '../contracts/resources.ts';
import { ConflictError, NotFoundError, NotOwnerError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { JobOutcome, JobStore, JobWait } from '../ports/job-store.ts';
import type { Expression } from './dynamodb-expression.ts';
import { DynamoDbTable } from './dynamodb-table.ts';
import { OPEN_STATES, statesBefore } from './job-steps.ts';
import { systemClock } from './system-clock.ts';

/** `prepare` counts an attempt. `advance` of a row that has expired does nothing. */
export class DynamoDbJobStore implements JobStore {
  readonly #table: DynamoDbTable;
  readonly #clock: Clock;

  constructor(client: DynamoDBDocumentClient, tableName: string = TABLES.jobs, clock: Clock = systemClock) {
    this.#table = new DynamoDbTable(client, tableName);
    this.#clock = clock;
  }

  async create(row: JobRow): Promise<void> {
    if (!(await this.#table.create(row, 'jobId'))) throw new ConflictError(`Job '${row.jobId}' already exists`);
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
      condition: `attribute_not_exists(${e.name('content')}) AND ${writable(e, epoch, ['QUEUED', 'PREPARED'])}`,
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
    if (!FINISHED_STATES.has(row.state)) throw new ConflictError(`Job '${jobId}' is on the wire without its content`);
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
    const { state, result, error } = outcome;
    const item = await this.#table.update({ session, jobId }, (e) => ({
      update: e.update({ state, result, error, ...this.#stamp(epoch) }),
      condition: writable(e, epoch, statesBefore(state)),
    }));
    if (item !== undefined) return;
    const row = await this.get(session, jobId);
    if (row !== undefined) assertEpoch(row, epoch);
  }

  #stamp(epoch: number) {
    return { epoch, updatedAt: this.#clock.now() };
  }
}

function countAttempt(e: Expression): string {
  const attempts = e.name('attempts');
  return `${attempts} = ${attempts} + ${e.value(1)}`;
}

/** No higher epoch has written, and the row (which exists, having a state) is in one of the states. */
function writable(e: Expression, epoch: number, states: readonly JobState[]): string {
  const column = e.name('epoch');
  const list = states.map((state) => e.value(state)).join(', ');
  return `(attribute_not_exists(${column}) OR ${column} <= ${e.value(epoch)}) AND ${e.name('state')} IN (${list})`;
}

function assertEpoch(row: JobRow, epoch: number): void {
  if (row.epoch !== undefined && row.epoch > epoch) {
    throw new NotOwnerError(`Job '${row.jobId}' was written under a higher epoch`);
  }
}
