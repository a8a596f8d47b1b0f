import type { Caller } from '#functions/authorizer/caller.ts';
import type { JobRow } from '#shared/contracts/jobs.ts';
import { NotFoundError } from '#shared/domain/errors.ts';
import { maySeeJob } from '../access.ts';
import type { ApiDeps } from '../deps.ts';

/** The job a request is about. One that is not the caller's to see does not exist. @throws NotFoundError */
export async function findJob(
  { jobs }: Pick<ApiDeps, 'jobs'>,
  caller: Caller | undefined,
  session: string,
  jobId: string,
): Promise<JobRow> {
  const row = await jobs.get(session, jobId);
  if (row === undefined || !maySeeJob(caller, row)) throw jobNotFound(jobId);
  return row;
}

export function jobNotFound(jobId: string): NotFoundError {
  return new NotFoundError(`Job '${jobId}' is not known`);
}
