import { isDeepStrictEqual } from 'node:util';
import type { Command } from '#shared/contracts/commands.ts';
import { isSendCommand } from '#shared/contracts/commands.ts';
import type { JobRow } from '#shared/contracts/jobs.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { ConflictError, NotOwnerError } from '#shared/domain/errors.ts';
import { JobNotAcceptedError } from '../api-errors.ts';
import type { ApiDeps } from '../deps.ts';
import { currentTraceparent, noteJob } from '../request-trail.ts';

const SEND_EXPIRY_MS = 24 * 3_600_000;
const COMMAND_EXPIRY_MS = 60_000;
/** Rows stay readable for a week after they have expired. */
const KEEP_SECONDS = 7 * 86_400;
/** The API is no owner: it may write only what no host has touched. */
const NO_EPOCH = 0;

export interface NewJob {
  readonly jobId: string;
  readonly command: Command;
  /** Id on the wire, for sends. */
  readonly messageId?: string;
}

/** Code of a job that was withdrawn because it could not be queued. */
export const NOT_QUEUED = 'not-queued';

/**
 * Writes the job's row, then wakes its session's host. A client must not be told "accepted" about what will not run,
 * nor "refused" about what may run: when the queue fails the row is cancelled, and if a host was faster the job counts
 * as accepted after all. What cannot be decided is reported as such, with the job's id.
 *
 * @throws ConflictError when the job exists, JobNotAcceptedError
 */
export async function acceptJob(
  deps: Pick<ApiDeps, 'jobs' | 'queue' | 'clock'>,
  session: SessionRow,
  job: NewJob,
): Promise<JobRow> {
  const row = newRow(deps.clock.now(), session, job);
  noteJob(row.jobId);
  try {
    await deps.jobs.create(row);
  } catch (error) {
    if (!(error instanceof ConflictError)) throw new JobNotAcceptedError(session.name, job.jobId, false, error);
    if (!(await isOwnWrite(deps, row))) throw error;
  }
  try {
    await wakeUp(deps, session, row);
    return row;
  } catch (error) {
    return withdraw(deps, row, error);
  }
}

/** A write whose answer was lost is tried again by the AWS client, and then meets itself. */
async function isOwnWrite({ jobs }: Pick<ApiDeps, 'jobs'>, row: JobRow): Promise<boolean> {
  const found = await jobs.get(row.session, row.jobId);
  return found !== undefined && found.createdAt === row.createdAt && isDeepStrictEqual(found.command, row.command);
}

/** Puts the job's message on the queue (again): the host does what the row says, so once too often is harmless. */
export async function wakeUp({ queue }: Pick<ApiDeps, 'queue'>, session: SessionRow, job: JobRow): Promise<void> {
  const lane = isSendCommand(job.command) ? 'sends' : 'control';
  await queue.send(session.shard, { kind: 'job', session: session.name, jobId: job.jobId }, lane, job.jobId);
}

async function withdraw({ jobs }: Pick<ApiDeps, 'jobs'>, row: JobRow, cause: unknown): Promise<JobRow> {
  const uncertain = (error: unknown) => new JobNotAcceptedError(row.session, row.jobId, false, error);
  try {
    const error = { code: NOT_QUEUED, message: 'The job could not be queued' };
    await jobs.advance(row.session, row.jobId, NO_EPOCH, { state: 'CANCELLED', error });
  } catch (error) {
    if (!(error instanceof NotOwnerError)) throw uncertain(error);
  }
  const now = await jobs.get(row.session, row.jobId).catch((error: unknown) => {
    throw uncertain(error);
  });
  if (now === undefined) throw uncertain(cause);
  if (now.state === 'CANCELLED') throw new JobNotAcceptedError(row.session, row.jobId, true, cause);
  return now;
}

function newRow(now: number, session: SessionRow, { jobId, command, messageId }: NewJob): JobRow {
  const traceparent = currentTraceparent();
  const expiresAt = now + (isSendCommand(command) ? SEND_EXPIRY_MS : COMMAND_EXPIRY_MS);
  return {
    session: session.name,
    jobId,
    incarnation: session.incarnation,
    command,
    state: 'QUEUED',
    ...(messageId === undefined ? {} : { messageId }),
    attempts: 0,
    createdAt: now,
    updatedAt: now,
    expiresAt,
    ...(traceparent === undefined ? {} : { traceparent }),
    openShard: session.shard,
    ttl: Math.floor(expiresAt / 1000) + KEEP_SECONDS,
  };
}
