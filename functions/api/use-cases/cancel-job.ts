import { isSendCommand } from '#shared/contracts/commands.ts';
import { FINISHED_STATES, type JobRow } from '#shared/contracts/jobs.ts';
import { NotSupportedError } from '#shared/domain/errors.ts';
import { JobNotCancellableError } from '../api-errors.ts';
import type { ApiDeps } from '../deps.ts';
import { jobNotFound } from './find-job.ts';

const CANCELLED = { state: 'CANCELLED', error: { code: 'cancelled', message: 'The job was cancelled' } } as const;

/**
 * Cancels a send that waits. A host freezes a send's content right before the wire, so from then on it may have left,
 * and a cancellation would be a lie. Cancelling twice is cancelling once.
 *
 * @throws NotFoundError, JobNotCancellableError, NotSupportedError for commands, which leave no trace before they act
 */
export async function cancelJob({ jobs }: Pick<ApiDeps, 'jobs'>, found: JobRow): Promise<JobRow> {
  const { session, jobId } = found;
  if (!isSendCommand(found.command) && !FINISHED_STATES.has(found.state)) {
    throw new NotSupportedError('Only sends can be cancelled; a command runs at once or ends within a minute');
  }
  const row = await jobs.endEarly(session, jobId, CANCELLED);
  if (row === undefined) throw jobNotFound(jobId);
  if (row.state !== 'CANCELLED') throw new JobNotCancellableError(session, jobId, row.state);
  return row;
}
