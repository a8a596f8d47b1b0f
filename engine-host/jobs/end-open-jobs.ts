import { FINISHED_STATES, type JobRow } from '#shared/contracts/jobs.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { JobStore, OpenJob } from '#shared/ports/job-store.ts';
import type { EngineEvent } from '../engines/engine.ts';
import { type ShardLease, whileOwned } from '../host/lease.ts';
import { failedSendEvent } from './failed-send-event.ts';

const DELETED = { state: 'FAILED', error: { code: 'session-deleted', message: 'The session was deleted' } } as const;
const AT_ONCE = 16;

export interface EndingDeps {
  readonly jobs: Pick<JobStore, 'get' | 'listOpen' | 'endEarly' | 'advance'>;
}

/**
 * Ends all that a session has been asked for and has not done; its engine runs no more. What is accepted after this look
 * fails when its message comes, without an event.
 *
 * @returns what tells of messages that will never leave
 * @throws NotOwnerError
 */
export async function endOpenJobs(
  row: Pick<SessionRow, 'name' | 'shard' | 'me'>,
  lease: ShardLease,
  { jobs }: EndingDeps,
  onFailure: (error: unknown, attempt: number) => void,
): Promise<readonly EngineEvent[]> {
  const owned = <T>(work: () => Promise<T>) => whileOwned(lease, work, onFailure);
  const end = async ({ session, jobId }: OpenJob): Promise<EngineEvent | undefined> => {
    const job = await owned(async () => {
      lease.assertOwned();
      const early = await jobs.endEarly(session, jobId, DELETED);
      if (early === undefined || FINISHED_STATES.has(early.state)) return early;
      // It may be on the wire, or have left: nobody will hear of it.
      await jobs.advance(session, jobId, lease.epoch, DELETED);
      return await jobs.get(session, jobId);
    });
    return job !== undefined && isEndedSo(job) ? failedSendEvent(job, row.me) : undefined;
  };
  const waiting = [...(await owned(() => jobs.listOpen(row.shard, row.name)))];
  const events: EngineEvent[] = [];
  while (waiting.length > 0) {
    const told = await Promise.all(waiting.splice(0, AT_ONCE).map(end));
    events.push(...told.filter((event) => event !== undefined));
  }
  return events;
}

const isEndedSo = ({ state, error }: JobRow) => state === DELETED.state && error?.code === DELETED.error.code;
