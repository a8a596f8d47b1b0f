import { isSendCommand } from '#shared/contracts/commands.ts';
import { FINISHED_STATES, type JobRow } from '#shared/contracts/jobs.ts';
import type { JobStore } from '#shared/ports/job-store.ts';
import type { FrozenContent, JobContext } from '../engines/engine.ts';
import { type ShardLease, whileOwned } from '../host/lease.ts';
import type { SentContents } from '../sessions/sent-contents.ts';

/** The job was ended by somebody else (cancelled, say) while it was on its way. */
export class JobOverError extends Error {}

export interface JobContextDeps {
  readonly lease: ShardLease;
  readonly jobs: Pick<JobStore, 'prepare'>;
  readonly sent: Pick<SentContents, 'remember'>;
  /** Aborted when the try is over. */
  readonly signal: AbortSignal;
  /** Called before the content is frozen for the first time. */
  readonly onFreeze: () => void;
  readonly onFailure: (error: unknown, attempt: number) => void;
}

/** What an engine gets to know of a job in one try. A try that is over freezes nothing more. */
export function jobContext(
  job: JobRow,
  { lease, jobs, sent, signal, onFreeze, onFailure }: JobContextDeps,
): JobContext {
  const messageId = job.messageId ?? '';
  const known = frozenContent(job);
  const remember = ({ content }: FrozenContent): void => {
    if (isSendCommand(job.command)) sent.remember(messageId, job.command.chatId, content);
  };
  if (known !== undefined) remember(known);
  return {
    jobId: job.jobId,
    traceparent: job.traceparent,
    messageId,
    signal,
    frozen: known,
    freeze: async ({ content, wire }) => {
      signal.throwIfAborted();
      const text = Buffer.from(content).toString('base64');
      onFreeze();
      const write = async () => {
        if (signal.aborted) return undefined;
        lease.assertOwned();
        return await jobs.prepare(job.session, job.jobId, lease.epoch, {
          content: text,
          ...(wire && { wire: { ...wire } }),
        });
      };
      const row = await whileOwned(lease, write, onFailure);
      signal.throwIfAborted();
      const frozen = row && frozenContent(row);
      if (row === undefined || FINISHED_STATES.has(row.state) || frozen === undefined)
        throw new JobOverError('The job has ended');
      remember(frozen);
      return frozen;
    },
  };
}

/** An earlier try has come so far; then it has had its turn. */
export function isFrozen(job: Pick<JobRow, 'content'>): boolean {
  return job.content !== undefined;
}

function frozenContent(job: JobRow): FrozenContent | undefined {
  if (job.content === undefined) return undefined;
  return { content: Buffer.from(job.content, 'base64'), ...(job.wire !== undefined && { wire: job.wire }) };
}
