import { FINISHED_STATES, type JobRow } from '#shared/contracts/jobs.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { JobStore, OpenJob } from '#shared/ports/job-store.ts';
import type { EngineEvent } from '../engines/engine.ts';
import { type ShardLease, whileOwned } from '../host/lease.ts';
import { failedSendEvent } from './failed-send-event.ts';

const DELETED = { state: 'FAILED', error: { code: 'session-deleted', message: 'The session was deleted' } } as const;
/** So many jobs are ended before their failures are told: what a death leaves to be told once more. */
const CHUNK = 100;
const AT_ONCE = 16;

export interface EndingDeps {
  readonly jobs: Pick<JobStore, 'listOpen' | 'advance' | 'endUntold' | 'noteTold'>;
}

export interface OpenJobsEnd {
  /** With the account that failures are told with, whoever tells them. */
  readonly session: Pick<SessionRow, 'name' | 'incarnation' | 'shard' | 'me'>;
  readonly lease: ShardLease;
  readonly jobs: EndingDeps['jobs'];
  /** Publishes events. @returns false when that is not certain: they are told again */
  readonly tell: (events: readonly EngineEvent[]) => Promise<boolean>;
  /** Aborted when the rest is another's. */
  readonly over: AbortSignal;
  readonly onFailure: (error: unknown, attempt: number) => void;
}

/**
 * Ends all that a session has been asked for and has not done, and tells of each message that will never leave; its engine
 * runs no more. A job whose failure is not told yet stays among the open ones, so whoever is interrupted leaves the rest to
 * the next owner, who tells it under the same ids. What is accepted after this look fails when its message comes, without
 * an event.
 *
 * @returns false when `over`
 * @throws NotOwnerError
 */
export async function endOpenJobs({ session, lease, jobs, tell, over, onFailure }: OpenJobsEnd): Promise<boolean> {
  const owned = <T>(work: () => Promise<T>) => whileOwned(lease, work, onFailure);
  const end = ({ jobId, messageId }: OpenJob) =>
    owned(async () => {
      lease.assertOwned();
      // It may be on the wire, or have left: nobody will hear of it.
      if (messageId !== undefined) return await jobs.endUntold(session.name, jobId, lease.epoch, DELETED);
      // Nobody is told of a command.
      await jobs.advance(session.name, jobId, lease.epoch, DELETED);
      return undefined;
    });
  const noteTold = ({ jobId }: JobRow) =>
    owned(() => {
      lease.assertOwned();
      return jobs.noteTold(session.name, jobId);
    });
  const waiting = [...(await owned(() => jobs.listOpen(session.shard, session.name)))];
  while (waiting.length > 0) {
    if (over.aborted) return false;
    const ended = await allOf(waiting.splice(0, CHUNK), end);
    const untold = ended.flatMap((row) => (row !== undefined && isUntold(row) ? [row] : []));
    // Nobody is left who would hear of an earlier session of the same name.
    const own = untold.filter(({ incarnation }) => incarnation === session.incarnation);
    const events = own.map((row) => failedSendEvent(row, session.me)).filter((event) => event !== undefined);
    if (events.length > 0 && !(await tell(events))) return false;
    await allOf(untold, noteTold);
  }
  return true;
}

/** True when a deletion has ended it: that tells of it, and nobody else. */
export function isEndedByDeletion({ state, error }: JobRow): boolean {
  return state === DELETED.state && error?.code === DELETED.error.code;
}

const isUntold = ({ state, openShard }: JobRow) => FINISHED_STATES.has(state) && openShard !== undefined;

/** In order, some at a time. */
async function allOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(work))));
  }
  return results;
}
