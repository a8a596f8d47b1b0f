import type { Pool } from '../../contracts/resources.ts';
import type { FleetRow } from '../../contracts/rows.ts';
import type { FleetStore } from '../../ports/fleet-store.ts';

export class MemoryFleetStore implements FleetStore {
  readonly #rows = new Map<Pool, FleetRow>();

  async get(pool: Pool): Promise<FleetRow | undefined> {
    return structuredClone(this.#rows.get(pool));
  }

  async put(row: FleetRow): Promise<boolean> {
    if (row.version !== (this.#rows.get(row.pool)?.version ?? 0) + 1) return false;
    this.#rows.set(row.pool, structuredClone(row));
    return true;
  }
}
