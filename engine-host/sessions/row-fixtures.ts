import { commandSchema } from '#shared/contracts/commands.ts';
import type { JobRow } from '#shared/contracts/jobs.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { messageIdForJob } from '#shared/domain/message-id.ts';

/** A session that is wanted and has never run. */
export function sessionRow(changes: Partial<SessionRow> = {}): SessionRow {
  return {
    name: 'alpha',
    incarnation: 'one',
    engine: 'SCRIPTED',
    pool: 'socket',
    shard: 'socket-00',
    config: {},
    desired: 'RUNNING',
    createdAt: 1,
    updatedAt: 1,
    status: 'STOPPED',
    statuses: [],
    me: null,
    qr: null,
    activityAt: null,
    hostId: null,
    epoch: 0,
    checkpoint: null,
    ...changes,
  };
}

/** A text that waits to be sent. */
export function jobRow(changes: Partial<JobRow> = {}): JobRow {
  const session = changes.session ?? 'alpha';
  const jobId = changes.jobId ?? 'job-1';
  return {
    session,
    jobId,
    incarnation: 'one',
    command: commandSchema.parse({ type: 'sendText', chatId: '4915187654321@c.us', text: 'hello' }),
    state: 'QUEUED',
    messageId: messageIdForJob(session, jobId),
    attempts: 0,
    createdAt: 1,
    updatedAt: 1,
    expiresAt: Date.now() + 86_400_000,
    ttl: 4_000_000_000,
    ...changes,
  };
}
