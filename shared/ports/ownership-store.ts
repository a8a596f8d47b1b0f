import type { HostRow, ShardRow } from '../contracts/rows.ts';

/** Hosts and shards tables. Every write is one conditional single-item write. Reads are strongly consistent. */
export interface OwnershipStore {
  /**
   * Writes the row of a new incarnation, if the host's row is still that of the incarnation that was seen. So an attempt
   * that arrives late, after another one, does not put an earlier incarnation in the place of the one that runs.
   * @param replaces the incarnation that was seen; undefined: the host had no row
   * @returns false when the row is another's by now
   */
  register(host: HostRow, replaces: string | undefined): Promise<boolean>;
  /** Next heartbeat. @throws NotOwnerError when the row is another incarnation's or declared DEAD */
  heartbeat(hostId: string, incarnation: string, rvn: number, sessions: number, state: HostRow['state']): Promise<void>;
  hosts(): Promise<readonly HostRow[]>;
  /** Marks a silent host dead if its `rvn` is still the one that was seen. @returns false when it moved */
  declareDead(hostId: string, incarnation: string, rvn: number): Promise<boolean>;
  /** Removes a host that has drained. */
  deregister(hostId: string, incarnation: string): Promise<void>;
  /** Makes sure the shards' rows exist. */
  ensureShards(shards: readonly string[]): Promise<void>;
  shards(): Promise<readonly ShardRow[]>;
  shard(shard: string): Promise<ShardRow | undefined>;
  /** Takes a shard over: epoch + 1 if the row is still as seen. @returns the new row, undefined when somebody was faster */
  acquire(seen: ShardRow, hostId: string, incarnation: string): Promise<ShardRow | undefined>;
  /** Frees a shard that is still ours under this epoch. */
  release(shard: string, incarnation: string, epoch: number): Promise<void>;
}
