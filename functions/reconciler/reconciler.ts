import { FINISHED_STATES } from '#shared/contracts/jobs.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { JobStore, OpenJob } from '#shared/ports/job-store.ts';
import type { SessionStore } from '#shared/ports/session-store.ts';
import type { ShardQueue } from '#shared/ports/shard-queue.ts';
import { isExpired, isQuiet, quietSends, type WakePolicy } from './wake-policy.ts';

export interface ReconcilerDeps {
  readonly jobs: Pick<JobStore, 'get' | 'endEarly' | 'noteWake' | 'listOpen'>;
  readonly sessions: Pick<SessionStore, 'listByShard'>;
  readonly queue: Pick<ShardQueue, 'send'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly policy: WakePolicy;
}

/** What was done about a shard's jobs. */
export interface Reconciled {
  readonly open: number;
  /** Age of the oldest open job, milliseconds; 0 where there is none. */
  readonly oldestMs: number;
  readonly woken: number;
  readonly expired: number;
}

/** @param mayGoOn asked before each change, which takes some calls; what is left then is for a later run */
export type Reconciler = (shard: string, mayGoOn: () => boolean) => Promise<Reconciled>;

/** Of one shard in one run; what is left over is seen by the next. */
const MOST_CHANGES = 1_000;
const EXPIRED = { state: 'EXPIRED', error: { code: 'expired', message: 'It could not leave in time' } } as const;

/**
 * Makes true that the job's row decides and the queue only wakes: open sends whose message may be lost get another
 * one, and what has expired without anybody looking at it is ended, and told of by its host. A message too many does no
 * harm: the host finds the job finished, and what it tells again has the same id.
 */
export function createReconciler(deps: ReconcilerDeps): Reconciler {
  const { jobs, sessions, clock, policy } = deps;
  return async (shard, mayGoOn) => {
    const open = await jobs.listOpen(shard);
    const now = clock.now();
    const oldestMs = open.reduce((oldest, { createdAt }) => Math.max(oldest, now - createdAt), 0);
    const done = { expired: 0, woken: 0 };
    const isOver = () => done.expired + done.woken >= MOST_CHANGES || !mayGoOn();

    for (const job of open.filter((job) => isExpired(job, now))) {
      if (isOver()) break;
      const change = await endLate(deps, shard, job, now);
      if (change !== undefined) done[change] += 1;
    }

    const quiet = quietSends(
      open.filter((job) => !isExpired(job, now)),
      now,
      policy,
    );
    if (quiet.size === 0 || isOver()) return { open: open.length, oldestMs, ...done };
    const statuses = new Map((await sessions.listByShard(shard)).map(({ name, status }) => [name, status]));
    for (const [session, candidates] of quiet) {
      // While it does not work its sends wait on the queue, and another message each would only fill it.
      if ((statuses.get(session) ?? 'WORKING') !== 'WORKING') continue;
      for (const job of candidates) {
        if (isOver()) break;
        const row = await jobs.get(session, job.jobId);
        const hasEnded = row === undefined || FINISHED_STATES.has(row.state);
        if (hasEnded || (row.notBefore ?? 0) > now) continue;
        await wake(deps, shard, job);
        done.woken += 1;
      }
    }
    return { open: open.length, oldestMs, ...done };
  };
}

/** What has become of a job that should have ended a while ago. */
async function endLate(
  deps: ReconcilerDeps,
  shard: string,
  job: OpenJob,
  now: number,
): Promise<'expired' | 'woken' | undefined> {
  const { jobs, queue, policy } = deps;
  const { session, jobId, messageId } = job;
  const row = await jobs.get(session, jobId);
  if (row === undefined || FINISHED_STATES.has(row.state)) return undefined;
  if (row.state !== 'QUEUED') {
    if (!isQuiet(job, now, policy)) return undefined;
    // It may be on the wire this moment: only its owner can tell.
    await wake(deps, shard, job);
    return 'woken';
  }
  // First of all: once the row has ended nobody finds it any more, and only its message makes a host tell of it.
  if (messageId !== undefined)
    await queue.send(shard, { kind: 'job', session, jobId, ended: true }, 'ended', `${jobId}:expired`);
  return (await jobs.endEarly(session, jobId, EXPIRED))?.state === 'EXPIRED' ? 'expired' : undefined;
}

/** The id is the same until the wake-up is noted, so that two runs at once send one message. */
async function wake({ jobs, queue }: ReconcilerDeps, shard: string, job: OpenJob): Promise<void> {
  const { session, jobId, messageId, wakes = 0 } = job;
  const lane = messageId === undefined ? 'control' : 'sends';
  await queue.send(shard, { kind: 'job', session, jobId }, lane, `${jobId}:wake-${wakes + 1}`);
  await jobs.noteWake(session, jobId);
}
