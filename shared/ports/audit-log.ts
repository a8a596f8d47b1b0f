import type { AuditEntry } from '../contracts/audit.ts';

export interface AuditQuery {
  /** Milliseconds since 1970, both inclusive. */
  readonly from: number;
  readonly to: number;
  readonly session?: string | undefined;
  readonly limit: number;
  /** `next` of the page before. */
  readonly next?: string | undefined;
}

export interface AuditPage {
  /** The newest first. */
  readonly entries: readonly AuditEntry[];
  /** Undefined when there is no more. */
  readonly next: string | undefined;
}

/** Who changed what. Entries go when the installation's time for them is over. */
export interface AuditLog {
  /** Writes an entry, or the same one (`at`, `id`) again. @throws DependencyError when it is not certain that it is there */
  write(entry: AuditEntry): Promise<void>;
  /** A page may have fewer entries than asked for, none even, and a `next`. */
  list(query: AuditQuery): Promise<AuditPage>;
}
