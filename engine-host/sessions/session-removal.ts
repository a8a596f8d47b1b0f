import type { SessionRow } from '#shared/contracts/rows.ts';
import type { EngineEvent } from '../engines/engine.ts';
import { whileOwned } from '../host/lease.ts';
import { aborted } from '../host/sleep.ts';
import { endOpenJobs } from '../jobs/end-open-jobs.ts';
import { eraseSession } from './erase-session.ts';
import type { HeldSession } from './held-session.ts';
import type { SessionReporter } from './session-reporter.ts';
import type { SessionRunnerDeps, SessionRunnerPlace } from './session-runner-deps.ts';
import { NOT_UNLINKED } from './session-unlinking.ts';
import type { StatusBoard } from './status-board.ts';

export interface SessionRemovalOptions {
  readonly place: Pick<SessionRunnerPlace, 'name' | 'lease' | 'logger'>;
  readonly deps: SessionRunnerDeps;
  readonly board: StatusBoard;
  readonly held: HeldSession;
  readonly reporter: SessionReporter;
  /** Aborted when the session is not to be run here any more. */
  readonly over: AbortSignal;
}

const DELETED = { status: 'STOPPED', reason: 'deleted', message: 'The session was deleted' } as const;

/** True when an owner has said the last word: the device is off the account, every failure told, the rest is to be erased. */
export function isToldDeleted({ status, statusReason }: Pick<SessionRow, 'status' | 'statusReason'>): boolean {
  return status === DELETED.status && statusReason === DELETED.reason;
}

/**
 * Deletes a session whose engine runs no more: ends what is open, tells of that and, last of all, of the deletion, and
 * erases what is stored. It takes as long as the bus needs.
 *
 * @returns false when `over`: the next owner goes on
 * @throws NotOwnerError
 */
export async function removeSession(
  row: SessionRow,
  isUnlinked: boolean,
  { place, deps, board, held, reporter, over }: SessionRemovalOptions,
): Promise<boolean> {
  const { lease, logger, name } = place;
  const onFailure = (error: unknown, attempt: number) => logger.warn({ err: error, attempt }, 'could not remove');
  const { outlet } = await held.takeOrEmpty(row);
  const isOver = aborted(over);
  const published = async () => {
    await Promise.race([outlet.drained(), isOver]);
    return !over.aborted;
  };
  const tell = (events: readonly EngineEvent[]) => {
    for (const event of events) outlet.emit(event);
    return published();
  };
  const session = { ...row, me: board.me };
  if (!(await endOpenJobs({ session, lease, jobs: deps.jobs, tell, over, onFailure }))) return false;
  await board.set(isUnlinked ? DELETED : NOT_UNLINKED);
  do {
    if (!(await published())) return false;
  } while (!(await held.close(deps.publishPatience)));
  // That it is told is in the row before there is less of it.
  await reporter.idle();
  if (!(await eraseSession(row, lease, deps, over, onFailure))) return false;
  await whileOwned(lease, () => deps.sessions.remove(name, row.incarnation, lease.epoch), onFailure);
  return true;
}
