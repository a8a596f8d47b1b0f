import { ulid } from 'ulid';
import type { ControlCommand } from '#shared/contracts/commands.ts';
import type { JobRow } from '#shared/contracts/jobs.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { SessionStatus } from '#shared/contracts/session.ts';
import { WrongStateError } from '#shared/domain/errors.ts';
import type { JobDeps } from '../deps.ts';
import { pollUntil } from '../poll.ts';
import { acceptJob } from './accept-job.ts';
import { awaitJob, jobFailure } from './await-job.ts';

/** What has become of a command when its time to wait is over. */
export type CommandResult =
  | { readonly kind: 'done'; readonly result: Record<string, unknown> }
  | { readonly kind: 'pending'; readonly job: JobRow };

/**
 * Has the session's engine carry out a command and waits for the result.
 *
 * @param waitMs undefined: the default
 * @throws the job's failure, ShardBacklogError, JobNotAcceptedError
 */
export async function runCommand(
  deps: JobDeps,
  session: SessionRow,
  command: ControlCommand,
  waitMs: number | undefined,
): Promise<CommandResult> {
  await deps.backlog.admit(session, 'command');
  const accepted = await acceptJob(deps, session, { jobId: `job_${ulid()}`, command });
  const job = await awaitJob(deps, accepted, waitMs ?? deps.config.commandWaitMs);
  const failure = await jobFailure(deps, job);
  if (failure !== undefined) throw failure;
  return job.state === 'DONE' ? { kind: 'done', result: job.result ?? {} } : { kind: 'pending', job };
}

/**
 * Gives the session a moment to come into the state. Waits only while it is on its way there.
 *
 * @throws WrongStateError
 */
export async function awaitStatus(deps: JobDeps, session: SessionRow, wanted: SessionStatus): Promise<SessionRow> {
  const row = await pollUntil(
    async () => (await deps.sessions.get(session.name)) ?? session,
    (now) => now.status === wanted || now.desired !== 'RUNNING' || now.status === 'FAILED' || now.status === 'WORKING',
    deps.config.stateWaitMs,
    deps.clock,
  );
  if (row.status !== wanted) throw new WrongStateError(row.name, row.status, [wanted]);
  return row;
}
