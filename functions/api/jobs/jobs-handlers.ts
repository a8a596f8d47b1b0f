import type { JobView } from '#shared/contracts/api/bodies.ts';
import type { jobsOperations } from '#shared/contracts/api/jobs.ts';
import type { JobRow } from '#shared/contracts/jobs.ts';
import { NotFoundError } from '#shared/domain/errors.ts';
import type { ApiDeps } from '../deps.ts';
import { json } from '../reply.ts';
import type { ApiHandlers } from '../request.ts';
import { cancelJob } from '../use-cases/cancel-job.ts';

/** Jobs: what has become of a send or a command. Jobs outlive their session for a while, so no session is looked up. */
export function createJobsHandlers({ jobs }: Pick<ApiDeps, 'jobs'>): ApiHandlers<typeof jobsOperations> {
  return {
    listJobs: async ({ params, query }) => json((await jobs.list(params.session, query)).map(jobView)),

    getJob: async ({ params }) => {
      const row = await jobs.get(params.session, params.id);
      if (row === undefined) throw new NotFoundError(`Job '${params.id}' is not known`);
      return json(jobView(row));
    },

    cancelJob: async ({ params }) => json(jobView(await cancelJob({ jobs }, params.session, params.id))),
  };
}

function jobView(row: JobRow): JobView {
  const { command, messageId } = row;
  const waits = row.state === 'QUEUED';
  return {
    id: row.jobId,
    session: row.session,
    type: command.type,
    state: row.state,
    messageId: messageId !== undefined && 'chatId' in command ? `true_${command.chatId}_${messageId}` : null,
    result: row.result ?? null,
    error: row.error ?? null,
    attempts: row.attempts,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    expiresAt: row.expiresAt,
    notBefore: (waits ? row.notBefore : undefined) ?? null,
    waitsFor: (waits ? row.waitsFor : undefined) ?? null,
  };
}
