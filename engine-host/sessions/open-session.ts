import type { Logger } from 'pino';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { Me } from '#shared/contracts/session.ts';
import type { NotOwnerError } from '#shared/domain/errors.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Checkpoint, CheckpointStore } from '#shared/ports/state-store.ts';
import { type ShardLease, whileOwned } from '../host/lease.ts';
import { CheckpointedState } from './checkpointed-state.ts';
import { EventOutlet } from './event-outlet.ts';
import type { EventPublisher } from './event-publisher.ts';
import type { SessionReporter } from './session-reporter.ts';
import { decodeState } from './state-codec.ts';

export interface OpenSessionDeps {
  readonly lease: ShardLease;
  readonly hostId: string;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly checkpoints: CheckpointStore;
  readonly checkpointInterval: number;
  readonly publisher: EventPublisher;
  readonly reporter: SessionReporter;
  readonly me: () => Me | null;
  readonly row: () => SessionRow;
  readonly onFenced: (error: NotOwnerError) => void;
}

/** A session whose state is in memory: what an engine needs to run, and what an event needs to leave. */
export interface OpenSession {
  readonly state: CheckpointedState;
  readonly outlet: EventOutlet;
}

/** @throws CorruptStateError | NotFoundError when the checkpoint cannot be read; NotOwnerError */
export async function openSession(row: SessionRow, deps: OpenSessionDeps): Promise<OpenSession> {
  const { lease, logger, checkpoints, reporter } = deps;
  const onFailure = (error: unknown, attempt: number) =>
    logger.warn({ err: error, attempt }, 'checkpoint store failed');
  let { checkpoint } = row;
  const read = async (from: Checkpoint) => decodeState(await whileOwned(lease, () => checkpoints.get(from), onFailure));
  const values = checkpoint === null ? new Map<string, Uint8Array>() : await read(checkpoint);
  const state = new CheckpointedState(values, checkpoint?.lsn ?? 0, {
    lease,
    clock: deps.clock,
    interval: deps.checkpointInterval,
    store: (lsn, body) => checkpoints.put(row, lsn, lease.epoch, body),
    point: async (stored) => {
      await reporter.report({ checkpoint: stored });
      checkpoint = stored;
    },
    prune: (keep) => checkpoints.prune({ ...row, checkpoint }, keep),
    onFailure,
    onFenced: deps.onFenced,
  });
  const outlet = new EventOutlet({
    session: row.name,
    engine: row.engine,
    version: deps.version,
    hostId: deps.hostId,
    state,
    lane: deps.publisher.lane(lease),
    me: deps.me,
    metadata: () => deps.row().config.metadata ?? {},
  });
  return { state, outlet };
}
