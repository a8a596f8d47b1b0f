import type { SessionReport } from '#shared/ports/session-store.ts';
import { type ShardLease, whileOwned } from '../host/lease.ts';

export interface SessionReporterOptions {
  readonly lease: ShardLease;
  readonly write: (report: SessionReport) => Promise<void>;
  readonly onFailure: (error: unknown, attempt: number) => void;
}

interface Pending {
  report: SessionReport;
  readonly written: PromiseWithResolvers<void>;
}

/**
 * Writes what is reported of one session into its row: in order, one write at a time; what is reported meanwhile is
 * merged into the next. A failed write is repeated as long as the shard is owned.
 */
export class SessionReporter {
  readonly #options: SessionReporterOptions;
  #next: Pending | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: SessionReporterOptions) {
    this.#options = options;
  }

  /** Resolves when the row says it (or something newer). @throws NotOwnerError when the row is not ours to write */
  report(report: SessionReport): Promise<void> {
    if (this.#next === undefined) {
      this.#next = { report, written: Promise.withResolvers<void>() };
    } else {
      this.#next.report = { ...this.#next.report, ...report };
    }
    const { promise } = this.#next.written;
    this.#writing ??= this.#drain();
    return promise;
  }

  /** Resolves when nothing is left to be written, whatever became of it. */
  async idle(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #drain(): Promise<void> {
    // What the same turn reports belongs into the same write.
    await Promise.resolve();
    while (this.#next !== undefined) {
      const { report, written } = this.#next;
      this.#next = undefined;
      const { lease, write, onFailure } = this.#options;
      await whileOwned(lease, () => write(report), onFailure).then(written.resolve, written.reject);
    }
    this.#writing = undefined;
  }
}
