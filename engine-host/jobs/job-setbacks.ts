import type { JobRow } from '#shared/contracts/jobs.ts';

/** `exception`: the engine threw. `timeout`: it took too long. `retry`: it asked for another try. `fault`: so, because of the job itself. */
export type SetbackKind = 'exception' | 'timeout' | 'retry' | 'fault';

/** Jobs that were set back longer ago than this many others begin anew. */
const KEPT = 3_000;

/** Counts what has gone wrong with jobs under this lease. Bounded: some jobs end, or go, without anybody telling. */
export class JobSetbacks {
  readonly #counts = new Map<string, Record<SetbackKind, number>>();

  /** @returns how many of this kind the job has had, this one included */
  note(job: Pick<JobRow, 'session' | 'jobId'>, kind: SetbackKind): number {
    const key = keyOf(job);
    const counts = this.#counts.get(key) ?? { exception: 0, timeout: 0, retry: 0, fault: 0 };
    counts[kind] += 1;
    this.#counts.delete(key);
    this.#counts.set(key, counts);
    const [oldest] = this.#counts.keys();
    if (oldest !== undefined && this.#counts.size > KEPT) this.#counts.delete(oldest);
    return counts[kind];
  }

  forget(job: Pick<JobRow, 'session' | 'jobId'>): void {
    this.#counts.delete(keyOf(job));
  }

  get size(): number {
    return this.#counts.size;
  }
}

function keyOf({ session, jobId }: Pick<JobRow, 'session' | 'jobId'>): string {
  return `${session}#${jobId}`;
}
