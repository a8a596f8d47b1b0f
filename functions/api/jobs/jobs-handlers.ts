import type { JobView } from '#shared/contracts/api/bodies.ts';
import type { jobsOperations } from '#shared/contracts/api/jobs.ts';
import type { JobRow, JobState } from '#shared/contracts/jobs.ts';
import { ACKS } from '#shared/domain/message-ack.ts';
import type { MessageStore } from '#shared/ports/read-models.ts';
import { maySeeJob } from '../access.ts';
import type { ApiDeps } from '../deps.ts';
import { json } from '../reply.ts';
import type { ApiHandlers } from '../request.ts';
import { cancelJob } from '../use-cases/cancel-job.ts';
import { findJob } from '../use-cases/find-job.ts';

/** Jobs: what has become of a send or a command. Jobs outlive their session for a while, so no session is looked up. */
export function createJobsHandlers({
  jobs,
  messages,
}: Pick<ApiDeps, 'jobs' | 'messages'>): ApiHandlers<typeof jobsOperations> {
  return {
    listJobs: async ({ params, query, caller }) => {
      const rows = await jobs.list(params.session, query);
      // Those of an earlier session of the name are the oldest: without them the last page is shorter, and no other.
      return json(rows.filter((row) => maySeeJob(caller, row)).map(jobView));
    },

    getJob: async ({ params, caller }) => {
      const row = await findJob({ jobs }, caller, params.session, params.id);
      return json({ ...jobView(row), state: await stateWithReceipts(messages, row) });
    },

    cancelJob: async ({ params, caller }) =>
      json(jobView(await cancelJob({ jobs }, await findJob({ jobs }, caller, params.session, params.id)))),
  };
}

/** A receipt costs no write of the job, so what it says is looked up when somebody asks. */
async function stateWithReceipts(messages: Pick<MessageStore, 'get'>, row: JobRow): Promise<JobState> {
  if (row.state !== 'SENT' || row.messageId === undefined) return row.state;
  const ack = (await messages.get(row.session, row.messageId, { fromMe: true }))?.ack ?? ACKS.SERVER;
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
