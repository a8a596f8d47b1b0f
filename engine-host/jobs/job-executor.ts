import type { Logger } from 'pino';
import { type Command, type CommandOf, type CommandType, isSendCommand } from '#shared/contracts/commands.ts';
import { FINISHED_STATES, type JobRow } from '#shared/contracts/jobs.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import type { SessionStatus } from '#shared/contracts/session.ts';
import { DependencyError, NotOwnerError, TrunklineError } from '#shared/domain/errors.ts';
import { jobFields } from '#shared/observability/subjects.ts';
import type { JobStore } from '#shared/ports/job-store.ts';
import type { CommandHandlers, CommandOutcome, Engine, FrozenContent, JobContext } from '../engines/engine.ts';
import { LeaseSuspendedError, whileOwned } from '../host/lease.ts';
import type { SessionRunner } from '../sessions/session-runner.ts';
import { type Disposition, type Waitable, waitSeconds } from './disposition.ts';
import { JobEnding, type JobEndingDeps, type SessionOfJob } from './job-ending.ts';
import { JobSetbacks } from './job-setbacks.ts';
import type { SendTurn } from './session-pacer.ts';
import { typeFor } from './typing.ts';

/** What a job needs of the session that it runs in. */
export type JobSession = Pick<SessionRunner, 'me' | 'status' | 'sent' | 'pacer' | 'restricted'> & {
  readonly engine: Pick<Engine, 'handlers'> | undefined;
};

export interface JobExecutorDeps extends JobEndingDeps {
  readonly jobs: JobStore;
  /**
   * Undefined when the job's session does not exist (any more); another of the same name does not count. Without a
   * runner it is stopped, and nobody wants it to run.
   */
  readonly find: (job: SessionOfJob) => Promise<JobPlace | undefined>;
  /** Calls back when the session works, also when nothing runs it yet. @returns takes the wish back */
  readonly onceWorking: (session: string, callback: () => void) => () => void;
}

export interface JobPlace {
  readonly row: Pick<SessionRow, 'desired' | 'me'>;
  readonly runner: JobSession | undefined;
}

/** After this many exceptions a job is poison. */
const MOST_EXCEPTIONS = 5;
/** SQS hides a message for 12 hours at most, counted from when it was received. */
const LONGEST_WAIT_SECONDS = 43_000;
/** Reasons to try again that say nothing about the job itself: a send goes on waiting. */
const NOT_ITS_FAULT: ReadonlySet<string> = new Set(['not-connected', 'connection-lost', 'not-owner']);
/** After this many tries that failed because of the job itself it fails. */
const MOST_FAULTS = 8;
/** The queue gives a message up, and tells nobody, after 1,000 receives. Its job fails before that. */
const MOST_RECEIVES = 900;
/** Somebody waits for a command's answer, so it fails soon where a send would go on waiting. */
const MOST_COMMAND_TRIES = 4;

/** The job was ended by somebody else (cancelled, say) while it was on its way. */
class JobOverError extends Error {}

/** The job has to wait: the message is postponed, or if that has been done too often the job fails. */
interface Wait {
  readonly kind: 'wait';
  readonly seconds: number;
  /** What it waits for, machine readable. */
  readonly code: string;
  readonly place: JobPlace | undefined;
  readonly until?: Waitable | undefined;
}

/** One try of a job: decides whether it may run, runs it in the session's engine, records what came of it. */
export class JobExecutor {
  readonly #deps: JobExecutorDeps;
  readonly #setbacks = new JobSetbacks();
  readonly #ending: JobEnding;

  constructor(deps: JobExecutorDeps) {
    this.#deps = deps;
    this.#ending = new JobEnding(deps);
  }

  /**
   * @param tries how often the job's message came, this time included
   * @param parked the message came on the lane of parked sends
   */
  async run(job: JobRow, tries: number, parked = false): Promise<Disposition> {
    try {
      const tried = await this.#try(job, tries, parked);
      if (tried.kind !== 'wait') return tried;
      if (tries >= MOST_RECEIVES) return await this.#fail(job, tried.place, tried.code, 'It has waited too often');
      const { seconds, code, until } = tried;
      this.#log(job).debug({ code, seconds, tries }, 'job waits');
      return { kind: 'postpone', seconds, ...(until !== undefined && { until }) };
    } catch (error) {
      if (error instanceof NotOwnerError) return { kind: 'abandon' };
      throw error;
    }
  }

  async #try(job: JobRow, tries: number, parked: boolean): Promise<Disposition | Wait> {
    const now = this.#deps.clock.now();
    if (FINISHED_STATES.has(job.state)) return this.#ending.tell(job, await this.#deps.find(job));
    if (job.expiresAt <= now) {
      const place = await this.#deps.find(job);
      return this.#fail(job, place, 'expired', 'It could not leave in time', { state: 'EXPIRED' });
    }
    // What pacing has noted is only its estimate of then.
    if (job.waitsFor === undefined && job.notBefore !== undefined && job.notBefore > now)
      return this.#later(job, undefined, 'not-due', (job.notBefore - now) / 1000);
    const place = await this.#deps.find(job);
    if (place === undefined) return this.#fail(job, undefined, 'session-not-found', 'The session does not exist');
    const { row, runner } = place;
    const engine = runner?.engine;
    if (runner === undefined || engine === undefined || !isReady(job.command, runner.status)) {
      const hopeless = row.desired !== 'RUNNING' || tries >= MOST_COMMAND_TRIES;
      if (!isSendCommand(job.command) && hopeless)
        return this.#fail(job, place, 'session-not-working', 'The session is not connected');
      return this.#later(job, place, 'session-not-working', waitSeconds(tries), this.#untilWorking(job));
    }
    const turn = isSendCommand(job.command) && !isFrozen(job) ? runner.pacer?.turn(job.command, parked) : undefined;
    if (turn?.kind === 'later') return this.#waitForTurn(job, place, runner, turn);
    const outcome = await this.#handle(job, engine.handlers, place, runner, tries, turn);
    if (outcome === undefined)
      return this.#fail(job, place, 'not-supported', `The engine has no command ${job.command.type}`);
    return 'disposition' in outcome ? outcome.disposition : this.#record(job, place, runner, outcome, tries);
  }

  async #handle(
    job: JobRow,
    handlers: CommandHandlers,
    place: JobPlace,
    runner: JobSession,
    tries: number,
    turn: Extract<SendTurn, { kind: 'now' }> | undefined,
  ): Promise<CommandOutcome | { readonly disposition: Disposition | Wait } | undefined> {
    const context = this.#context(job, runner, turn?.leave);
    try {
      if (turn !== undefined && 'chatId' in job.command) {
        await typeFor(turn.typingMs, job.command.chatId, handlers, context, this.#deps.lease);
      }
      return await call(handlers, job.command.type, job.command, context);
    } catch (error) {
      return { disposition: await this.#afterException(job, place, error, tries) };
    }
  }

  /** @param onFreeze called before the content is frozen for the first time */
  #context(job: JobRow, runner: JobSession, onFreeze: () => void = () => {}): JobContext {
    const { lease, jobs } = this.#deps;
    const messageId = job.messageId ?? '';
    const known = frozenContent(job);
    if (known !== undefined) runner.sent.remember(messageId, known.content);
    return {
      jobId: job.jobId,
      traceparent: job.traceparent,
      messageId,
      frozen: known,
      freeze: async ({ content, wire }) => {
        const text = Buffer.from(content).toString('base64');
        onFreeze();
        const write = () => {
          lease.assertOwned();
          return jobs.prepare(job.session, job.jobId, lease.epoch, {
            content: text,
            ...(wire && { wire: { ...wire } }),
          });
        };
        const row = await whileOwned(lease, write, (error, attempt) =>
          this.#log(job).warn({ err: error, attempt }, 'could not freeze a job'),
        );
        const frozen = frozenContent(row);
        if (FINISHED_STATES.has(row.state) || frozen === undefined) throw new JobOverError('The job has ended');
        runner.sent.remember(messageId, frozen.content);
        return frozen;
      },
    };
  }

  /** Notes in the job's row until when it waits, if that is news. */
  async #waitForTurn(
    job: JobRow,
    place: JobPlace,
    runner: JobSession,
    { dueAt, reason, park }: Extract<SendTurn, { kind: 'later' }>,
  ): Promise<Disposition | Wait> {
    const { lease, jobs, clock } = this.#deps;
    if (job.notBefore !== dueAt || job.waitsFor !== reason) {
      const write = () => {
        lease.assertOwned();
        return jobs.defer(job.session, job.jobId, lease.epoch, { notBefore: dueAt, waitsFor: reason });
      };
      await whileOwned(lease, write, (error, attempt) =>
        this.#log(job).warn({ err: error, attempt }, 'could not note a wait'),
      );
    }
    if (park) return { kind: 'park' };
    const once: Waitable['once'] = (callback) => runner.pacer?.onceSooner(callback) ?? (() => {});
    return this.#later(job, place, reason, (dueAt - clock.now()) / 1000, { once });
  }

  async #record(
    job: JobRow,
    place: JobPlace,
    runner: JobSession,
    outcome: CommandOutcome,
    tries: number,
  ): Promise<Disposition | Wait> {
    switch (outcome.kind) {
      case 'sent':
        return this.#succeed(job, 'SENT', { timestamp: outcome.timestamp });
      case 'done':
        return this.#succeed(job, 'DONE', outcome.result);
      case 'rejected':
        return this.#fail(job, place, outcome.code, outcome.message);
      case 'retry': {
        if (!isSendCommand(job.command) && tries >= MOST_COMMAND_TRIES)
          return this.#fail(job, place, outcome.reason, 'WhatsApp did not answer');
        return this.#again(job, place, runner, outcome);
      }
    }
  }

  /** As the engine says at first, then less and less often. */
  async #again(
    job: JobRow,
    place: JobPlace,
    runner: JobSession,
    { reason, afterSeconds }: Extract<CommandOutcome, { kind: 'retry' }>,
  ): Promise<Disposition | Wait> {
    const mayHaveLeft = isFrozen(job) || runner.sent.has(job.messageId ?? '');
    const isFault = reason === 'engine-error' || (!mayHaveLeft && !NOT_ITS_FAULT.has(reason));
    const lacksMedia = reason === 'dependency' && 'media' in job.command && !mayHaveLeft;
    const code = lacksMedia ? 'media-unavailable' : reason;
    if (isFault && this.#setbacks.note(job, 'fault') >= MOST_FAULTS)
      return this.#fail(job, place, code, 'It failed again and again');
    const retries = this.#setbacks.note(job, 'retry');
    const seconds = retries === 1 ? afterSeconds : Math.max(afterSeconds, waitSeconds(retries));
    return this.#later(job, place, code, seconds, runner.status === 'WORKING' ? undefined : this.#untilWorking(job));
  }

  async #afterException(job: JobRow, place: JobPlace, error: unknown, tries: number): Promise<Disposition | Wait> {
    if (error instanceof LeaseSuspendedError) {
      await this.#deps.lease.usable();
      return { kind: 'postpone', seconds: 0 };
    }
    if (error instanceof NotOwnerError) return { kind: 'abandon' };
    if (error instanceof JobOverError) return { kind: 'done' };
    if (error instanceof TrunklineError && !error.retryable) {
      return this.#fail(job, place, 'reason' in error ? String(error.reason) : error.code, error.message);
    }
    const exceptions = this.#setbacks.note(job, 'exception');
    this.#log(job).warn({ err: error, exceptions, tries }, 'a job threw');
    if (exceptions < MOST_EXCEPTIONS) return this.#later(job, place, 'engine-error', waitSeconds(exceptions));
    if (error instanceof DependencyError) return this.#fail(job, place, error.code, error.message);
    const poison = error instanceof Error ? error.name : 'unknown';
    return this.#fail(job, place, 'engine-error', 'The engine failed again and again', { poison });
  }

  async #fail(
    job: JobRow,
    place: JobPlace | undefined,
    code: string,
    message: string,
    how: { readonly state?: 'EXPIRED'; readonly poison?: string } = {},
  ): Promise<Disposition> {
    const disposition = await this.#ending.fail(job, place, { state: 'FAILED', ...how, error: { code, message } });
    this.#setbacks.forget(job);
    return disposition;
  }

  async #succeed(job: JobRow, state: 'SENT' | 'DONE', result: Record<string, unknown>): Promise<Disposition> {
    const disposition = await this.#ending.succeed(job, { state, result });
    this.#setbacks.forget(job);
    return disposition;
  }

  /** For lines about the job. */
  #log(job: JobRow): Logger {
    return this.#deps.logger.child({ ...jobFields(job), type: job.command.type });
  }

  /** Never later than the job's end, so that its expiry is seen in time. */
  #later(job: JobRow, place: JobPlace | undefined, code: string, seconds: number, until?: Waitable): Wait {
    const left = (job.expiresAt - this.#deps.clock.now()) / 1000;
    const wait = Math.max(0, Math.ceil(Math.min(seconds, left, LONGEST_WAIT_SECONDS)));
    return { kind: 'wait', seconds: wait, code, place, until };
  }

  #untilWorking({ session }: JobRow): Waitable {
    return { once: (callback) => this.#deps.onceWorking(session, callback) };
  }
}

/** A pairing code is asked for while the session waits to be paired; everything else needs the connection. */
function isReady(command: Command, status: SessionStatus | undefined): boolean {
  return status === 'WORKING' || (command.type === 'requestPairingCode' && status === 'SCAN_QR_CODE');
}

function call<T extends CommandType>(
  handlers: CommandHandlers,
  type: T,
  command: CommandOf<T>,
  context: JobContext,
): Promise<CommandOutcome> | undefined {
  return handlers[type]?.(command, context);
}

/** An earlier try has come so far; then it has had its turn. */
function isFrozen(job: JobRow): boolean {
  return job.content !== undefined;
}

function frozenContent(job: JobRow): FrozenContent | undefined {
  if (job.content === undefined) return undefined;
  return { content: Buffer.from(job.content, 'base64'), ...(job.wire !== undefined && { wire: job.wire }) };
}
