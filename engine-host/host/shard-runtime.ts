import type { Logger } from 'pino';
import type { ShardMessage } from '#shared/contracts/jobs.ts';
import { tag } from '#shared/observability/logger.ts';
import type { JobStore } from '#shared/ports/job-store.ts';
import type { ReceivedShardMessage, ShardQueue } from '#shared/ports/shard-queue.ts';
import { JobExecutor } from '../jobs/job-executor.ts';
import { JobLanes } from '../jobs/job-lanes.ts';
import type { LostTriesDeps } from '../jobs/lost-tries.ts';
import { shardMessages } from '../jobs/shard-poller.ts';
import type { Slots } from '../jobs/slots.ts';
import { ShardSessions, type ShardSessionsDeps } from '../sessions/shard-sessions.ts';
import type { ShardLease } from './lease.ts';
import type { ShardTenant } from './shard-owner.ts';

export interface ShardRuntimeDeps extends ShardSessionsDeps {
  readonly queue: ShardQueue;
  readonly jobs: JobStore;
  readonly slots: Slots;
  readonly suspects: LostTriesDeps['suspects'];
  readonly logger: Logger;
}

const LAST_TRIES_MS = 500;

type SessionChanged = Extract<ShardMessage, { kind: 'session-changed' }>;

/** Everything that runs for one shard under one lease: its sessions, its queue's messages, its jobs. */
export class ShardRuntime implements ShardTenant {
  readonly #lease: ShardLease;
  readonly #deps: ShardRuntimeDeps;
  readonly #sessions: ShardSessions;
  readonly #lanes: JobLanes;
  readonly #receiving = new AbortController();
  #polling: Promise<void> = Promise.resolve();

  constructor(lease: ShardLease, deps: ShardRuntimeDeps) {
    this.#lease = lease;
    this.#deps = deps;
    this.#sessions = new ShardSessions(lease, deps);
    const executor = new JobExecutor({
      ...deps,
      lease,
      find: (job) => this.#sessions.find(job),
      onceWorking: (session, callback) => this.#sessions.onceWorking(session, callback),
      tell: (job, event, published) => this.#sessions.tell(job, event, published),
    });
    this.#lanes = new JobLanes({ ...deps, lease, executor, onSettled: () => deps.slots.release() });
  }

  start(): void {
    void this.#sessions.watch();
    this.#polling = this.#poll();
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  get working(): number {
    return this.#sessions.working;
  }

  get load(): number | undefined {
    return this.#sessions.load;
  }

  get pairing(): boolean {
    return this.#sessions.pairing;
  }

  async drain(jobsMs: number): Promise<void> {
    this.#receiving.abort();
    await this.#polling;
    const finished = await this.#lanes.drain(jobsMs);
    await this.#sessions.handOver();
    if (finished) return;
    // Their engines have stopped, so they end, and what they have noted is taken back.
    await this.#lanes.drain(LAST_TRIES_MS);
    await this.#lanes.giveBack();
  }

  async abort(): Promise<void> {
    this.#receiving.abort();
    this.#lanes.abort();
    await this.#sessions.abort();
  }

  async #poll(): Promise<void> {
    for await (const message of shardMessages({ ...this.#deps, lease: this.#lease }, this.#receiving.signal)) {
      const { body } = message;
      if (body.kind === 'job') this.#lanes.take(message, body.session, body.jobId);
      else void this.#changed(message, body);
    }
  }

  /** The row says what is wanted; whoever runs the session next reads it. So the message has done its duty. */
  async #changed(message: ReceivedShardMessage, { session, traceparent }: SessionChanged): Promise<void> {
    const logger = this.#deps.logger.child({ session: tag(session), traceparent });
    logger.info('session changed');
    this.#sessions.wake(session);
    this.#sessions.lookAgain(session);
    try {
      this.#lease.assertOwned();
      await this.#deps.queue.done(this.#lease.shard, message.receipt);
    } catch (error) {
      logger.debug({ err: error }, 'a message about a change comes again');
    } finally {
      this.#deps.slots.release();
    }
  }
}
