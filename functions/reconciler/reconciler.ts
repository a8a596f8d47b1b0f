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

export type Reconciler = (shard: string) => Promise<Reconciled>;

/** Of one shard in one run; what is left over is seen by the next. */
const MOST_CHANGES = 1_000;
const EXPIRED = { state: 'EXPIRED', error: { code: 'expired', message: 'It could not leave in time' } } as const;

/**
 * Makes true that the job's row decides and the queue only wakes: open sends whose message may be lost get another
 * one, and what has expired without anybody looking at it is ended. A message too many does nothing: the host finds
 * the job finished.
 */
export function createReconciler(deps: ReconcilerDeps): Reconciler {
  const { jobs, sessions, clock, policy } = deps;
  return async (shard) => {
    const open = await jobs.listOpen(shard);
    const now = clock.now();
    const oldestMs = open.reduce((oldest, { createdAt }) => Math.max(oldest, now - createdAt), 0);
    let expired = 0;
    let woken = 0;

    const late = open.filter((job) => isExpired(job, now));
    for (const job of late.slice(0, MOST_CHANGES)) {
      const row = await jobs.endEarly(job.session, job.jobId, EXPIRED);
      if (row?.state === 'EXPIRED') expired += 1;
      // It may be on the wire this moment: only its owner can tell.
      else if (row !== undefined && !FINISHED_STATES.has(row.state) && isQuiet(job, now, policy)) {
        await wake(deps, shard, job);
        woken += 1;
      }
    }

    const quiet = quietSends(
      open.filter((job) => !isExpired(job, now)),
      now,
      policy,
    );
    if (quiet.size === 0) return { open: open.length, oldestMs, woken, expired };
    const statuses = new Map((await sessions.listByShard(shard)).map(({ name, status }) => [name, status]));
    for (const [session, candidates] of quiet) {
      // While it does not work its sends wait on the queue, and another message each would only fill it.
      if ((statuses.get(session) ?? 'WORKING') !== 'WORKING') continue;
      for (const job of candidates) {
        if (woken >= MOST_CHANGES) break;
        const row = await jobs.get(session, job.jobId);
        const isOver = row === undefined || FINISHED_STATES.has(row.state);
        if (isOver || (row.notBefore ?? 0) > now) continue;
        await wake(deps, shard, job);
        woken += 1;
      }
    }
    return { open: open.length, oldestMs, woken, expired };
  };
}

/** The id is the same until the wake-up is noted, so that two runs at once send one message. */
async function wake({ jobs, queue }: ReconcilerDeps, shard: string, job: OpenJob): Promise<void> {
  const { session, jobId, messageId, wakes = 0 } = job;
  const lane = messageId === undefined ? 'control' : 'sends';
  await queue.send(shard, { kind: 'job', session, jobId }, lane, `${jobId}:wake-${wakes + 1}`);
  await jobs.noteWake(session, jobId);
}
