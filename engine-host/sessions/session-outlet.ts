import type { Logger } from 'pino';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { Me } from '#shared/contracts/session.ts';
import type { NotOwnerError } from '#shared/domain/errors.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { EventLog } from '#shared/ports/event-log.ts';
import { isLost, type ShardLease, whileOwned } from '../host/lease.ts';
import { EventOutlet, type EventOutletOptions } from './event-outlet.ts';
import type { EventPublisher } from './event-publisher.ts';
import { SeqCounter, seqWithoutState } from './seq-counter.ts';
import type { SessionReporter } from './session-reporter.ts';

export interface OutletDeps {
  readonly lease: ShardLease;
  readonly hostId: string;
  readonly version: string;
  /** Address of the HTTP API, for links in events. */
  readonly publicUrl: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
  readonly eventLog: Pick<EventLog, 'lastBefore'>;
  readonly publisher: EventPublisher;
  readonly reporter: Pick<SessionReporter, 'report'>;
  readonly me: () => Me | null;
  readonly row: () => SessionRow;
  readonly onFenced: (error: NotOwnerError) => void;
}

/** What a session whose state cannot be read has all the same: a way out for events, numbered by log and row. */
export interface UnreadSession {
  readonly outlet: EventOutlet;
  readonly seqs: SeqCounter;
}

export function createOutlet(
  row: SessionRow,
  deps: OutletDeps,
  numbers: Pick<EventOutletOptions, 'seqs' | 'durable' | 'after'>,
): EventOutlet {
  return new EventOutlet({
    session: row,
    engine: row.engine,
    version: deps.version,
    hostId: deps.hostId,
    publicUrl: deps.publicUrl,
    lane: deps.publisher.lane(deps.lease),
    me: deps.me,
    metadata: () => deps.row().config.metadata ?? {},
    ignore: () => deps.row().config.ignore,
    ...numbers,
  });
}

/**
 * Numbers are reserved in the row here, as in the state elsewhere: whoever has the session next, with its state or without,
 * gives none of them again.
 * @throws NotOwnerError
 */
export async function openUnreadSession(row: SessionRow, deps: OutletDeps): Promise<UnreadSession> {
  const { reporter, logger, onFenced } = deps;
  let durable: Promise<void> = Promise.resolve();
  const seqs = new SeqCounter(await seqBehindLog(row, deps), (reservedSeq) => {
    durable = reporter.report({ reservedSeq });
    durable.catch((error: unknown) => {
      if (isLost(error)) onFenced(error);
      else logger.error({ err: error }, 'could not reserve numbers for events');
    });
  });
  return { seqs, outlet: createOutlet(row, deps, { seqs, durable: () => durable }) };
}

/** From where a session's numbers go on without its state. @throws NotOwnerError */
export async function seqBehindLog(
  row: SessionRow,
  { lease, eventLog, clock, logger }: Pick<OutletDeps, 'lease' | 'eventLog' | 'clock' | 'logger'>,
): Promise<number> {
  const newest = () => eventLog.lastBefore(row.name, Number.POSITIVE_INFINITY);
  const onFailure = (error: unknown, attempt: number) =>
    logger.warn({ err: error, attempt }, 'could not read where the event log ends');
  return seqWithoutState(row, await whileOwned(lease, newest, onFailure), clock.now());
}
