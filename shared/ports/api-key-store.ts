import type { ApiKeyRow } from '../contracts/rows.ts';

/** The keys table. All reads are strongly consistent unless said. */
export interface ApiKeyStore {
  get(id: string): Promise<ApiKeyRow | undefined>;
  /** All rows, in no order; pages are joined. */
  list(): Promise<readonly ApiKeyRow[]>;
  /** Keys that are for this session only. By index, eventually consistent. */
  listBySession(session: string): Promise<readonly Pick<ApiKeyRow, 'id' | 'incarnation'>[]>;
  /** @returns false when the id exists */
  create(row: ApiKeyRow): Promise<boolean>;
  /** Replaces the row, which gets `version` + 1. @returns false when its version is another than `row.version`, or it is gone */
  replace(row: ApiKeyRow): Promise<boolean>;
  /** Notes when a key was used, which is no change of its row's version. Does nothing when the row is gone. */
  used(id: string, at: number): Promise<void>;
  /** @returns false when there is no such row, or its version is another */
  remove(id: string, version: number): Promise<boolean>;
  /**
   * Removes the row of a key whatever its version, if it is still of this incarnation of its session. Rows of IAM
   * principals stay: without one a principal may do more.
   */
  removeOfSession(id: string, incarnation: string): Promise<void>;
}
