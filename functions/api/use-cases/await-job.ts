import { FINISHED_STATES, type JobRow } from '#shared/contracts/jobs.ts';
import { EngineError, NotSupportedError, type TrunklineError, WrongStateError } from '#shared/domain/errors.ts';
import { SessionNotFoundError } from '../api-errors.ts';
import type { ApiDeps } from '../deps.ts';
import { pollUntil } from '../poll.ts';

/** Waits until the engine is done with the job, at most `timeoutMs`; resolves with the row as it is then. */
export async function awaitJob(
  { jobs, clock }: Pick<ApiDeps, 'jobs' | 'clock'>,
  job: JobRow,
  timeoutMs: number,
): Promise<JobRow> {
  if (timeoutMs <= 0) return job;
  const row = await pollUntil(
    () => jobs.get(job.session, job.jobId),
    (now) => now === undefined || FINISHED_STATES.has(now.state),
    timeoutMs,
    clock,
  );
  return row ?? job;
}

/** Why the job will not succeed any more; undefined while it may. */
export async function jobFailure(
  { sessions }: Pick<ApiDeps, 'sessions'>,
  job: JobRow,
): Promise<TrunklineError | undefined> {
  switch (job.state) {
    case 'FAILED': {
      const { code, message } = job.error ?? { code: 'failed', message: 'The job failed' };
      switch (code) {
        case 'session-not-working': {
          const session = await sessions.get(job.session);
          return new WrongStateError(job.session, session?.status ?? 'STOPPED', ['WORKING']);
        }
        case 'session-not-found':
          return new SessionNotFoundError(job.session, 'within');
        case 'not-supported':
          return new NotSupportedError(message);
        default:
          return new EngineError(code, message);
      }
    }
    case 'EXPIRED':
      return new EngineError('expired', 'The job was not carried out in time');
    case 'CANCELLED':
      return new EngineError(job.error?.code ?? 'cancelled', job.error?.message ?? 'The job was cancelled');
    default:
      return undefined;
  }
}
