import type PQueue from 'p-queue';
import type { JobRow } from '#shared/contracts/jobs.ts';
import type { JobStore } from '#shared/ports/job-store.ts';
import type { CommandOutcome } from '../engines/engine.ts';
import { type ShardLease, whileOwned } from '../host/lease.ts';
import { isFrozen } from './job-context.ts';

export interface LostTriesDeps {
  readonly lease: ShardLease;
  readonly jobs: Pick<JobStore, 'noteLostTries'>;
  /** Takes one at a time, of all shards of a host: what dies with a suspect must not be counted as its accomplice. */
  readonly suspects: PQueue;
}

/** Most messages that waited for something else come less often. What is noted costs a write. */
const NOTED_FROM = 3;
const MOST_LOST = 2;

/**
 * Counts the tries that took their host along. A count in memory dies with the host, and the queue's own says only how often
 * the message came, for whatever reason. So a try is noted as lost before it begins, and taken back when it ends,
 * however it ends. Only where media is handled and nothing is frozen: that is where a few bytes may become many.
 */
export class LostTries {
  readonly #deps: LostTriesDeps;

  constructor(deps: LostTriesDeps) {
    this.#deps = deps;
  }

  /** So many hosts are gone that no other should try. */
  isPoison(job: JobRow): boolean {
    return !isFrozen(job) && (job.lostTries ?? 0) >= MOST_LOST;
  }

  /**
   * @param receives how often the job's message came, this time included
   * @throws NotOwnerError, and what `work` throws
   */
  async during<T extends CommandOutcome | undefined>(
    job: JobRow,
    receives: number,
    work: () => Promise<T>,
    onFailure: (error: unknown, attempt: number) => void,
  ): Promise<T> {
    const { lostTries: lost = 0, command } = job;
    const handlesMedia = 'media' in command || command.type === 'downloadMedia';
    if (!handlesMedia || isFrozen(job) || (receives < NOTED_FROM && lost === 0)) return await work();
    const noted = async () => {
      await this.#note(job, lost + 1, onFailure);
      let outcome: T | undefined;
      try {
        outcome = await work();
        return outcome;
      } finally {
        // Any other outcome is the job's end.
        if (outcome === undefined || outcome.kind === 'retry') await this.#note(job, lost, onFailure);
      }
    };
    return lost === 0 ? await noted() : await this.#deps.suspects.add(noted);
  }

  async #note(job: JobRow, count: number, onFailure: (error: unknown, attempt: number) => void): Promise<void> {
    const { lease, jobs } = this.#deps;
    const write = async () => {
      lease.assertOwned();
      await jobs.noteLostTries(job.session, job.jobId, lease.epoch, count);
    };
    await whileOwned(lease, write, onFailure);
  }
}
