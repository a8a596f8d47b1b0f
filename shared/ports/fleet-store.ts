import type { Pool } from '../contracts/resources.ts';
import type { FleetRow } from '../contracts/rows.ts';

/** The fleets table: what was decided about the number of a pool's hosts. */
export interface FleetStore {
  /** Strongly consistent. */
  get(pool: Pool): Promise<FleetRow | undefined>;
  /** Puts the row if its `version` is one more than that of the row there is (1 for the first). @returns false otherwise */
  put(row: FleetRow): Promise<boolean>;
}
