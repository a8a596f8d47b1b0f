import type { Logger } from 'pino';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { needsRunner } from '#shared/domain/needs-runner.ts';
import { sessionWeight } from '#shared/domain/session-weight.ts';
import { tag } from '#shared/observability/log-tags.ts';
import type { EngineEvent } from '../engines/engine.ts';
import { isLost, type ShardLease, whileOwned } from '../host/lease.ts';
import { sleep } from '../host/sleep.ts';
import type { SessionOfJob } from '../jobs/job-ending.ts';
import { SessionRunner } from './session-runner.ts';
import type { SessionRunnerDeps } from './session-runner-deps.ts';

export interface ShardSessionsDeps extends SessionRunnerDeps {
  readonly logger: Logger;
  /** Milliseconds between two listings of the shard. */
  readonly scanInterval: number;
}

/** A session as a job finds it. Without a runner it is stopped, and nobody wants it to run. */
export interface FoundSession {
  readonly row: SessionRow;
  readonly runner: SessionRunner | undefined;
}

/** The sessions of one shard that this host runs. */
export class ShardSessions {
  readonly #lease: ShardLease;
  readonly #deps: ShardSessionsDeps;
  readonly #runners = new Map<string, SessionRunner>();
  /** By session: whoever waits for it to work, whether or not it has a runner. */
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #stopped = new AbortController();
  #isListed = false;

  constructor(lease: ShardLease, deps: ShardSessionsDeps) {
    this.#lease = lease;
    this.#deps = deps;
  }

  get size(): number {
    return this.#runners.size;
  }

  /** How many are connected. */
  get working(): number {
    return [...this.#runners.values()].filter((runner) => runner.status === 'WORKING').length;
  }

  /** What they weigh, in units; undefined before they have been listed. */
  get load(): number | undefined {
    if (!this.#isListed) return undefined;
    // One whose row is still to be read may be of any of the engines.
    const unread = Math.max(...Array.from(this.#deps.engines.keys(), sessionWeight));
    let sum = 0;
    for (const { row } of this.#runners.values()) sum += row === undefined ? unread : sessionWeight(row.engine);
    return sum;
  }

  get pairing(): boolean {
    return [...this.#runners.values()].some((runner) => runner.status === 'SCAN_QR_CODE');
  }

  /** The session's row may have changed. */
  wake(name: string): void {
    this.#runner(name)?.wake();
  }

  /** The session's waiting sends may have changed. */
  lookAgain(name: string): void {
    this.#runners.get(name)?.pacer?.lookAgain();
  }

  /** Calls back when the session works; at once when it does. @returns takes the wish back */
  onceWorking(name: string, callback: () => void): () => void {
    const runner = this.#runners.get(name);
    if (runner?.status === 'WORKING' && runner.engine !== undefined) {
      callback();
      return () => {};
    }
    const waiting = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, waiting.add(callback));
    return () => {
      waiting.delete(callback);
      if (waiting.size === 0 && this.#waiting.get(name) === waiting) this.#waiting.delete(name);
    };
  }

  /** Publishes an event of a session, also when nothing runs it. @param published called once when that is done */
  tell({ session, incarnation }: SessionOfJob, event: EngineEvent, published: () => void): void {
    this.#runner(session)?.tell(event, incarnation, published);
  }

  /** Undefined when the shard has no such session, or only another incarnation of it. @throws NotOwnerError */
  async find({ session: name, incarnation }: SessionOfJob): Promise<FoundSession | undefined> {
    const running = this.#runners.get(name);
    if (running?.row?.incarnation === incarnation) return { row: running.row, runner: running };
    const row = await whileOwned(
      this.#lease,
      () => this.#deps.sessions.get(name),
      (error, attempt) => this.#deps.logger.warn({ err: error, attempt }, 'could not read a session'),
    );
    if (row?.incarnation !== incarnation || row.shard !== this.#lease.shard) return undefined;
    const runsAnother = running?.row !== undefined;
    if (runsAnother) running.wake();
    if (runsAnother) return { row, runner: undefined };
    if (!needsRunner(row)) return { row, runner: this.#runners.get(name) };
    const runner = this.#runner(name);
    if (runner !== undefined && runner.row === undefined) runner.wake();
    return { row, runner };
  }

  /** Lists the shard's sessions at once and then again and again: a net below the messages that tell of changes. */
  async watch(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted && !this.#lease.ended.aborted) {
      try {
        await this.#lease.usable();
        const rows = await this.#deps.sessions.listByShard(this.#lease.shard);
        for (const row of rows) if (this.#isNews(row)) this.wake(row.name);
        this.#isListed = true;
      } catch (error) {
        if (isLost(error)) return;
        this.#deps.logger.warn({ err: error }, 'could not list the sessions of a shard');
        await sleep(1_000, signal);
        continue;
      }
      await sleep(this.#deps.scanInterval, AbortSignal.any([signal, this.#lease.ended]));
    }
  }

  async handOver(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(Array.from(this.#runners.values(), (runner) => runner.handOver()));
    this.#runners.clear();
  }

  async abort(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(Array.from(this.#runners.values(), (runner) => runner.abort()));
    this.#runners.clear();
  }

  /** The listing may be older than what a runner has read; it never replaces it, it only makes it look again. */
  #isNews(row: SessionRow): boolean {
    const known = this.#runners.get(row.name)?.row;
    return known === undefined ? needsRunner(row) : row.updatedAt > known.updatedAt;
  }

  #works(name: string): void {
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    for (const callback of waiting ?? []) callback();
  }

  #runner(name: string): SessionRunner | undefined {
    const known = this.#runners.get(name);
    if (known !== undefined) return known;
    if (this.#stopped.signal.aborted) return undefined;
    const runner: SessionRunner = new SessionRunner(
      {
        name,
        lease: this.#lease,
        logger: this.#deps.logger.child({ session: tag(name) }),
        onWorking: () => this.#works(name),
        onGone: () => {
          if (this.#runners.get(name) === runner) this.#runners.delete(name);
        },
      },
      this.#deps,
    );
    this.#runners.set(name, runner);
    return runner;
  }
}
