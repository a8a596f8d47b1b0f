import type { Logger } from 'pino';
import { isSendCommand } from '#shared/contracts/commands.ts';
import type { JobRow, JobState } from '#shared/contracts/jobs.ts';
import type { Me } from '#shared/contracts/session.ts';
import { jobFields } from '#shared/observability/subjects.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { JobOutcome, JobStore } from '#shared/ports/job-store.ts';
import type { EngineEvent } from '../engines/engine.ts';
import { type ShardLease, whileOwned } from '../host/lease.ts';
import { aborted, settledWithin } from '../host/sleep.ts';
import type { Disposition } from './disposition.ts';
import { isEndedByDeletion } from './end-open-jobs.ts';
import { failedSendEvent } from './failed-send-event.ts';

export type SessionOfJob = Pick<JobRow, 'session' | 'incarnation'>;

export interface JobEndingDeps {
  readonly lease: ShardLease;
  readonly jobs: Pick<JobStore, 'get' | 'advance'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * Publishes an event of the session, also when nothing runs it.
   * @param published called once when the log and the bus have it, or nobody wants it
   */
  readonly tell: (job: SessionOfJob, event: EngineEvent, published: () => void) => void;
}

/** What the end of a job needs of its session. */
export interface EndingPlace {
  readonly row: { readonly me: Me | null };
  readonly runner:
    | {
        readonly me: Me | null;
        restricted(code: string, traceparent: string | undefined): void;
      }
    | undefined;
}

type Failure = JobOutcome & {
  readonly state: 'FAILED' | 'EXPIRED';
  readonly error: NonNullable<JobOutcome['error']>;
};

/** Refusals that are about the account, not the message: no messages to people who have never written. */
const RESTRICTIONS: ReadonlySet<string> = new Set(['nack-463']);
/** For so long a failed send waits for its event to be published; then its message comes again, to tell of it again. */
const PUBLISH_PATIENCE_MS = 5_000;
const TELL_AGAIN_SECONDS = 5;
const FAILURES: ReadonlySet<JobState> = new Set(['FAILED', 'EXPIRED']);

/** Records how jobs end, and tells of sends that failed. Everything it has to know of an end is in the job's row. */
export class JobEnding {
  readonly #deps: JobEndingDeps;

  constructor(deps: JobEndingDeps) {
    this.#deps = deps;
  }

  /** @throws NotOwnerError */
  async succeed(job: JobRow, outcome: JobOutcome): Promise<Disposition> {
    await this.#record(job, outcome);
    return { kind: 'done' };
  }

  /** @param place undefined when the job's session does not exist @throws NotOwnerError */
  async fail(job: JobRow, place: EndingPlace | undefined, failure: Failure): Promise<Disposition> {
    await this.#record(job, failure);
    const { code } = failure.error;
    if (place !== undefined && RESTRICTIONS.has(code)) place.runner?.restricted(code, job.traceparent);
    if (!isSendCommand(job.command)) return afterEnd(failure);
    const ended = await this.#read(job);
    return ended === undefined ? { kind: 'done' } : this.tell(ended, place);
  }

  /**
   * Tells of a send that failed, as its row says it. The message stays on the queue until that is published: when the
   * host dies before, it comes again, meets the finished row, and the event is told under the same id. What then becomes
   * of the message, the row says as well.
   */
  async tell(ended: JobRow, place: EndingPlace | undefined): Promise<Disposition> {
    const { lease, tell } = this.#deps;
    const isFailure = FAILURES.has(ended.state) && place !== undefined && !isEndedByDeletion(ended);
    const event = isFailure ? failedSendEvent(ended, place.runner?.me ?? place.row.me) : undefined;
    if (event === undefined) return afterEnd(ended);
    const { promise: published, resolve } = Promise.withResolvers<void>();
    tell(ended, event, resolve);
    const isTold = await settledWithin(Promise.race([published, aborted(lease.ended)]), PUBLISH_PATIENCE_MS);
    if (lease.ended.aborted) return { kind: 'abandon' };
    return isTold ? afterEnd(ended) : { kind: 'postpone', seconds: TELL_AGAIN_SECONDS };
  }

  #read(job: JobRow): Promise<JobRow | undefined> {
    const { lease, jobs } = this.#deps;
    return whileOwned(
      lease,
      () => jobs.get(job.session, job.jobId),
      (error, attempt) => this.#log(job).warn({ err: error, attempt }, 'could not read a job'),
    );
  }

  async #record(job: JobRow, outcome: JobOutcome): Promise<void> {
    const { lease, jobs, clock } = this.#deps;
    const write = () => {
      lease.assertOwned();
      return jobs.advance(job.session, job.jobId, lease.epoch, outcome);
    };
    await whileOwned(lease, write, (error, attempt) =>
      this.#log(job).warn({ err: error, attempt }, 'could not record a job'),
    );
    const { state, error } = outcome;
    this.#log(job).info({ state, code: error?.code, ms: clock.now() - job.createdAt }, 'job ended');
  }

  /** For lines about the job. */
  #log(job: JobRow): Logger {
    return this.#deps.logger.child({ ...jobFields(job), type: job.command.type });
  }
}

/** Poison is buried by whoever gets its message when there is nothing left to tell. */
function afterEnd({ poison }: Pick<JobOutcome, 'poison'>): Disposition {
  return poison === undefined ? { kind: 'done' } : { kind: 'bury', reason: poison };
}
