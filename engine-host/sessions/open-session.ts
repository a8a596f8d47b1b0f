import type { SessionRow } from '#shared/contracts/rows.ts';
import { NotFoundError, NotOwnerError } from '#shared/domain/errors.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { SessionStore } from '#shared/ports/session-store.ts';
import type { CheckpointStore } from '#shared/ports/state-store.ts';
import { whileOwned } from '../host/lease.ts';
import { CorruptStateError } from './corrupt-state-error.ts';
import type { EventOutlet } from './event-outlet.ts';
import { JournaledState } from './journaled-state.ts';
import { abandonState, type RestoredState, type RestoreOptions, restoreState } from './restore-state.ts';
import { type RenewalDeps, renewRestored } from './restored-session.ts';
import { seqsOfState, seqValue } from './seq-counter.ts';
import { SessionCheckpoints } from './session-checkpoints.ts';
import { type JournalStores, SessionJournal } from './session-journal.ts';
import { createOutlet, type OutletDeps, seqBehindLog, type UnreadSession } from './session-outlet.ts';
import type { SessionReporter } from './session-reporter.ts';

export interface OpenSessionDeps extends JournalStores, RenewalDeps, OutletDeps {
  readonly clock: Clock;
  readonly logger: OutletDeps['logger'];
  readonly sessions: Pick<SessionStore, 'get'>;
  readonly checkpoints: CheckpointStore;
  /** Milliseconds after which changes that are only in the journal go into a checkpoint. */
  readonly checkpointInterval: number;
  readonly reporter: SessionReporter;
  /** What has told of it until now, where its state could not be read before. */
  readonly unread: UnreadSession | undefined;
}

/** A session whose state is in memory: what an engine needs to run, and what an event needs to leave. */
export interface OpenSession {
  readonly state: JournaledState;
  readonly outlet: EventOutlet;
}

/**
 * Takes the session's journal over and reads its state.
 * @throws CorruptStateError | NotFoundError when the state cannot be read; NotOwnerError
 */
export async function openSession(row: SessionRow, deps: OpenSessionDeps): Promise<OpenSession> {
  return await takeOver(row, deps, restoreState);
}

/**
 * Takes the session's journal over and starts with an empty state, whatever there was. Only the numbers of its events go
 * on, since whoever reads them has a place among them.
 * @throws NotOwnerError
 */
export async function openEmptySession(row: SessionRow, deps: OpenSessionDeps): Promise<OpenSession> {
  const from = await seqBehindLog(row, deps);
  return await takeOver(row, deps, (options) => abandonState(options, new Map([seqValue(from)])));
}

/**
 * An owner before this one may move the checkpoint until it meets our seal, and delete the journal below. What was read
 * and where it was sealed counts only if the checkpoint is still the same afterwards.
 */
async function takeOver(
  row: SessionRow,
  deps: OpenSessionDeps,
  restore: (options: RestoreOptions) => Promise<RestoredState>,
): Promise<OpenSession> {
  const journal = new SessionJournal(row, deps);
  for (let current = row; ; ) {
    const restored = await restore(restoreOptions(current, journal, deps)).catch((error: unknown) => {
      if (error instanceof CorruptStateError || error instanceof NotFoundError) return error;
      throw error;
    });
    const newer = await whileOwned(deps.lease, () => deps.sessions.get(row.name), onFailure(deps));
    if (newer?.incarnation !== row.incarnation) throw new NotOwnerError('The session is gone');
    if (newer.checkpoint?.key === current.checkpoint?.key) {
      if (restored instanceof Error) throw restored;
      return open(newer, restored, journal, deps);
    }
    current = newer;
  }
}

function restoreOptions(row: SessionRow, journal: SessionJournal, deps: OpenSessionDeps): RestoreOptions {
  return { ...deps, session: row, checkpoint: row.checkpoint, journal, onFailure: onFailure(deps) };
}

function onFailure({ logger }: OpenSessionDeps) {
  return (error: unknown, attempt: number) => logger.warn({ err: error, attempt }, 'a store of session state failed');
}

function open(row: SessionRow, restored: RestoredState, journal: SessionJournal, deps: OpenSessionDeps): OpenSession {
  const { reporter, unread } = deps;
  const checkpoints = new SessionCheckpoints({
    ...deps,
    row,
    journal,
    point: (checkpoint) => reporter.report({ checkpoint }),
    onFailure: onFailure(deps),
  });
  const state = new JournaledState(restored, { ...deps, journal, checkpoints, onFailure: onFailure(deps) });
  renewRestored(row, state, deps);
  const from = Math.max(row.createdAt, row.reservedSeq ?? 0, unread?.seqs.reserved ?? 0);
  const outlet = createOutlet(row, deps, {
    seqs: seqsOfState(state, from),
    durable: () => state.durable(state.head),
    ...(unread && { after: unread.outlet.drained() }),
  });
  return { state, outlet };
}
