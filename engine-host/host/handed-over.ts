import type { ShardRow } from '#shared/contracts/rows.ts';

interface Handed {
  readonly hasSessions: boolean;
  /** Monotonic time. */
  readonly at: number;
}

/**
 * What this host has given away and the others cannot show yet: who has it, and what he carries by it. Until then it
 * counts as in motion, and this host does not take it back.
 */
export class HandedOver {
  readonly #shards = new Map<string, Handed>();
  readonly #settleMs: number;

  /** @param settleMs from a hand-over until the new owner's load is in his row */
  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  note(shard: string, handed: Handed): void {
    this.#shards.set(shard, handed);
  }

  /** Shards that are still in motion. Empty ones have arrived when somebody owns them. */
  settling(rows: readonly ShardRow[], now: number): ReadonlySet<string> {
    for (const { shard, owner } of rows) {
      const handed = this.#shards.get(shard);
      if (handed === undefined) continue;
      const hasArrived = owner !== null && !handed.hasSessions;
      if (hasArrived || now - handed.at >= this.#settleMs) this.#shards.delete(shard);
    }
    return new Set(this.#shards.keys());
  }
}
