import type { JobView } from '#shared/contracts/api/bodies.ts';
import type { jobsOperations } from '#shared/contracts/api/jobs.ts';
import type { JobRow, JobState } from '#shared/contracts/jobs.ts';
import { NotFoundError } from '#shared/domain/errors.ts';
import { ACKS } from '#shared/domain/message-ack.ts';
import type { MessageStore } from '#shared/ports/read-models.ts';
import type { ApiDeps } from '../deps.ts';
import { json } from '../reply.ts';
import type { ApiHandlers } from '../request.ts';
import { cancelJob } from '../use-cases/cancel-job.ts';

/** Jobs: what has become of a send or a command. Jobs outlive their session for a while, so no session is looked up. */
export function createJobsHandlers({
  jobs,
  messages,
}: Pick<ApiDeps, 'jobs' | 'messages'>): ApiHandlers<typeof jobsOperations> {
  return {
    listJobs: async ({ params, query }) => json((await jobs.list(params.session, query)).map(jobView)),

    getJob: async ({ params }) => {
      const row = await jobs.get(params.session, params.id);
      if (row === undefined) throw new NotFoundError(`Job '${params.id}' is not known`);
      return json({ ...jobView(row), state: await stateWithReceipts(messages, row) });
    },

    cancelJob: async ({ params }) => json(jobView(await cancelJob({ jobs }, params.session, params.id))),
  };
}

/** A receipt costs no write of the job, so what it says is looked up when somebody asks. */
async function stateWithReceipts(messages: Pick<MessageStore, 'get'>, row: JobRow): Promise<JobState> {
  if (row.state !== 'SENT' || row.messageId === undefined) return row.state;
  const ack = (await messages.get(row.session, row.messageId))?.ack ?? ACKS.SERVER;
  if (ack >= ACKS.PLAYED) return 'PLAYED';
  if (ack >= ACKS.READ) return 'READ';
  return ack >= ACKS.DEVICE ? 'DELIVERED' : 'SENT';
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
