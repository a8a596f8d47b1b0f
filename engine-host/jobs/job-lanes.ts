import type { Logger } from 'pino';
import { isSendCommand } from '#shared/contracts/commands.ts';
import { FINISHED_STATES, type JobRow } from '#shared/contracts/jobs.ts';
import { SHARD_VISIBILITY_SECONDS } from '#shared/contracts/queue-definitions.ts';
import { NotOwnerError } from '#shared/domain/errors.ts';
import { tag } from '#shared/observability/logger.ts';
import type { JobStore } from '#shared/ports/job-store.ts';
import type { ReceivedShardMessage, ShardQueue } from '#shared/ports/shard-queue.ts';
import { type ShardLease, whileOwned } from '../host/lease.ts';
import { settledWithin } from '../host/sleep.ts';
import type { Disposition } from './disposition.ts';
import type { JobExecutor } from './job-executor.ts';

export interface JobLanesDeps {
  readonly lease: ShardLease;
  readonly queue: ShardQueue;
  readonly jobs: JobStore;
  readonly executor: Pick<JobExecutor, 'run'>;
  readonly logger: Logger;
  /** Called when a message is no longer under way here. */
  readonly onSettled: () => void;
}

interface Lane {
  tail: Promise<void>;
  depth: number;
}

interface UnderWay {
  /** Grows with each message that is taken. */
  readonly number: number;
  readonly timer: NodeJS.Timeout;
  /** Settles when no extension is on its way. */
  extending: Promise<void>;
}

/** A job of the lane has been postponed: what was received up to then must not overtake it. */
interface Hold {
  readonly before: number;
  readonly disposition: Extract<Disposition, { kind: 'postpone' }>;
}

const EXTEND_EVERY_MS = (SHARD_VISIBILITY_SECONDS * 1_000) / 3;
const QUEUE_TRIES = 3;

/**
 * Runs the jobs of a shard: those of one session's lane strictly one after the other, lanes side by side. A message
 * stays invisible on the queue for as long as its job is under way here.
 */
export class JobLanes {
  readonly #deps: JobLanesDeps;
  readonly #lanes = new Map<string, Lane>();
  readonly #holds = new Map<string, Hold>();
  readonly #underWay = new Map<ReceivedShardMessage, UnderWay>();
  /** Takes the wishes to be called back early back, by the ids of the messages that wait. */
  readonly #callBacks = new Map<string, () => void>();
  #count = 0;
  #draining = false;

  constructor(deps: JobLanesDeps) {
    this.#deps = deps;
  }

  take(message: ReceivedShardMessage, session: string, jobId: string): void {
    this.#count += 1;
    this.#takeBack(message.messageId);
    const timer = setInterval(() => {
      underWay.extending = this.#extend(message);
    }, EXTEND_EVERY_MS).unref();
    const underWay: UnderWay = { number: this.#count, timer, extending: Promise.resolve() };
    this.#underWay.set(message, underWay);
    // Only the row tells the lane, so reading it is a lane of its own: rows arrive in the order of their messages.
    this.#enter(
      `${session}#intake`,
      async () => {
        const job = await this.#read(session, jobId);
        if (job === undefined) return this.#settle(message, { kind: 'done' });
        const lane = laneOf(message, job);
        const waits = this.#lanes.has(lane);
        this.#enter(lane, () => this.#process(message, job, waits, lane), message);
      },
      message,
    );
  }

  /**
   * Gives back what has not begun and waits for what has.
   * @returns false when jobs are still running after `ms`
   */
  async drain(ms: number): Promise<boolean> {
    this.#draining = true;
    return settledWithin(this.#idle(), ms);
  }

  /** After the engines have stopped: makes the messages of jobs that did not end visible for the next owner. */
  async giveBack(): Promise<void> {
    await Promise.all(
      Array.from(this.#underWay.keys(), (message) => this.#settle(message, { kind: 'postpone', seconds: 0 })),
    );
  }

  /** Forgets everything without touching the queue. */
  abort(): void {
    this.#draining = true;
    for (const messageId of [...this.#callBacks.keys()]) this.#takeBack(messageId);
    for (const message of [...this.#underWay.keys()]) this.#forget(message);
  }

  async #idle(): Promise<void> {
    while (this.#lanes.size > 0) await Promise.all(Array.from(this.#lanes.values(), (lane) => lane.tail));
  }

  #enter(key: string, task: () => Promise<void>, message: ReceivedShardMessage): void {
    const lane = this.#lanes.get(key) ?? { tail: Promise.resolve(), depth: 0 };
    this.#lanes.set(key, lane);
    lane.depth += 1;
    lane.tail = lane.tail
      .then(task)
      .catch((error: unknown) => {
        if (!(error instanceof NotOwnerError))
          this.#log(message.body).error({ err: error }, 'a job could not be handled');
        this.#forget(message);
      })
      .finally(() => {
        lane.depth -= 1;
        if (lane.depth === 0) this.#lanes.delete(key);
      });
  }

  async #process(message: ReceivedShardMessage, read: JobRow, waited: boolean, lane: string): Promise<void> {
    if (this.#draining) return this.#settle(message, { kind: 'postpone', seconds: 0 });
    const parked = isMarked(message, 'parked');
    const order = orderOf(message, lane);
    const hold = this.#holds.get(order);
    const number = this.#underWay.get(message)?.number ?? 0;
    if (hold !== undefined && number < hold.before) return this.#settle(message, hold.disposition);
    this.#holds.delete(order);
    // It may have been cancelled while it stood behind others.
    const job = waited ? await this.#read(read.session, read.jobId) : read;
    const disposition: Disposition =
      job === undefined ? { kind: 'done' } : await this.#deps.executor.run(job, message.receiveCount, parked);
    if (disposition.kind !== 'postpone') return this.#settle(message, disposition);
    const postponed = this.#draining ? ({ kind: 'postpone', seconds: 0 } as const) : disposition;
    this.#holds.set(order, { before: this.#count + 1, disposition: postponed });
    return this.#settle(message, postponed);
  }

  #read(session: string, jobId: string): Promise<JobRow | undefined> {
    const { lease, jobs } = this.#deps;
    return whileOwned(
      lease,
      () => jobs.get(session, jobId),
      (error, attempt) => this.#log({ session, jobId }).warn({ err: error, attempt }, 'could not read a job'),
    );
  }

  async #settle(message: ReceivedShardMessage, disposition: Disposition): Promise<void> {
    const underWay = this.#underWay.get(message);
    if (underWay === undefined) return;
    // An extension that arrives late would hide the message again.
    clearInterval(underWay.timer);
    await underWay.extending;
    const { lease, queue } = this.#deps;
    switch (disposition.kind) {
      case 'done':
        await this.#tell(message, () => queue.done(lease.shard, message.receipt));
        break;
      case 'bury':
        await this.#tell(message, () => queue.bury(lease.shard, message, disposition.reason));
        break;
      case 'postpone': {
        await this.#tell(message, () => queue.postpone(lease.shard, message.receipt, disposition.seconds));
        this.#callBackOnce(message, disposition);
        break;
      }
      case 'park':
        await this.#park(message);
        break;
      case 'abandon':
        break;
    }
    this.#forget(message);
  }

  /** The message must be on the other lane before it leaves this one. If it is on both, the row says which came first. */
  async #park(message: ReceivedShardMessage): Promise<void> {
    const { lease, queue } = this.#deps;
    const { body } = message;
    if (body.kind !== 'job') return;
    let isThere = false;
    await this.#tell(message, async () => {
      await queue.send(lease.shard, { ...body, parked: true }, 'parked', body.jobId);
      isThere = true;
    });
    if (isThere) await this.#tell(message, () => queue.done(lease.shard, message.receipt));
  }

  /** One wish for each message that waits, until it happens or the message comes. */
  #callBackOnce(message: ReceivedShardMessage, { seconds, until }: Hold['disposition']): void {
    if (seconds === 0 || until === undefined || this.#draining) return;
    const { messageId } = message;
    this.#takeBack(messageId);
    let isOver = false;
    const takeBack = until.once(() => {
      isOver = true;
      this.#callBacks.delete(messageId);
      void this.#callBack(message);
    });
    if (!isOver) this.#callBacks.set(messageId, takeBack);
  }

  #takeBack(messageId: string): void {
    this.#callBacks.get(messageId)?.();
    this.#callBacks.delete(messageId);
  }

  /** What was waited for has happened before the message would come. */
  async #callBack(message: ReceivedShardMessage): Promise<void> {
    const { lease, queue } = this.#deps;
    if (this.#draining) return;
    try {
      lease.assertOwned();
      await queue.postpone(lease.shard, message.receipt, 0);
    } catch (error) {
      this.#log(message.body).debug({ err: error }, 'a waiting message comes at its own time');
    }
  }

  async #extend(message: ReceivedShardMessage): Promise<void> {
    const { lease, queue } = this.#deps;
    try {
      lease.assertOwned();
      await queue.postpone(lease.shard, message.receipt, SHARD_VISIBILITY_SECONDS);
    } catch (error) {
      this.#log(message.body).warn({ err: error }, 'could not keep a message invisible');
    }
  }

  /** The row is the truth: a message that cannot be removed comes again and is found finished. */
  async #tell(message: ReceivedShardMessage, operation: () => Promise<void>): Promise<void> {
    const { lease } = this.#deps;
    for (let attempt = 1; attempt <= QUEUE_TRIES; attempt += 1) {
      try {
        await lease.usable();
        lease.assertOwned();
        return await operation();
      } catch (error) {
        if (error instanceof NotOwnerError && lease.ended.aborted) return;
        this.#log(message.body).warn({ err: error, attempt }, 'the queue refused');
      }
    }
  }

  /** For lines about a job of which only the message is known. */
  #log(job: { readonly session: string; readonly jobId?: string }): Logger {
    return this.#deps.logger.child({ session: tag(job.session), jobId: job.jobId });
  }

  #forget(message: ReceivedShardMessage): void {
    const underWay = this.#underWay.get(message);
    if (underWay === undefined) return;
    clearInterval(underWay.timer);
    this.#underWay.delete(message);
    const [oldest] = this.#underWay.values();
    for (const [order, { before }] of this.#holds) {
      if (oldest === undefined || oldest.number >= before) this.#holds.delete(order);
    }
    this.#deps.onSettled();
  }
}

function laneOf(message: ReceivedShardMessage, { session, command, state }: JobRow): string {
  if (!isSendCommand(command)) return `${session}#control`;
  // Its message comes before its row has ended: until then a try of it may be under way among the sends.
  return isMarked(message, 'ended') && FINISHED_STATES.has(state) ? `${session}#ended` : `${session}#sends`;
}

/** What waits for each other when one is postponed: never more than the message group that the queue holds back. */
function orderOf(message: ReceivedShardMessage, lane: string): string {
  if (isMarked(message, 'parked')) return `${lane}#parked`;
  if (isMarked(message, 'ended')) return `${message.body.session}#ended`;
  return lane;
}

function isMarked({ body }: ReceivedShardMessage, mark: 'parked' | 'ended'): boolean {
  return body.kind === 'job' && body[mark] === true;
}
