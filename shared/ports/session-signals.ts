import type { SessionRow } from '../contracts/rows.ts';

/** Tells those who start and stop hosts that it may be time to look. */
export interface SessionSignals {
  /**
   * A session wants a host. Only a hint: whoever misses it finds the session's row a little later.
   * @throws DependencyError
   */
  wanted(session: Pick<SessionRow, 'name' | 'shard' | 'pool' | 'updatedAt'>): Promise<void>;
}
