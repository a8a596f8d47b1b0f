import type { HostRow, ShardRow } from '../../contracts/rows.ts';
import { NotOwnerError } from '../../domain/errors.ts';
import type { OwnershipStore } from '../../ports/ownership-store.ts';

export class MemoryOwnershipStore implements OwnershipStore {
  readonly #hosts = new Map<string, HostRow>();
  readonly #shards = new Map<string, ShardRow>();

  async register(host: HostRow, replaces: string | undefined): Promise<boolean> {
    const now = this.#hosts.get(host.hostId)?.incarnation;
    if (now === replaces) this.#hosts.set(host.hostId, { ...host });
    return now === replaces || now === host.incarnation;
  }

  async heartbeat(
    hostId: string,
    incarnation: string,
    rvn: number,
    sessions: number,
    state: HostRow['state'],
  ): Promise<void> {
    const host = this.#hosts.get(hostId);
    if (host?.incarnation !== incarnation || host.state === 'DEAD') {
      throw new NotOwnerError(`Host '${hostId}' was declared dead or replaced`);
    }
    if (rvn >= host.rvn) this.#hosts.set(hostId, { ...host, rvn, sessions, state });
  }

  async hosts(): Promise<readonly HostRow[]> {
    return [...this.#hosts.values()].map((host) => ({ ...host }));
  }

  async declareDead(hostId: string, incarnation: string, rvn: number): Promise<boolean> {
    const host = this.#hosts.get(hostId);
    if (host?.incarnation !== incarnation || host.rvn !== rvn) return false;
    this.#hosts.set(hostId, { ...host, state: 'DEAD' });
    return true;
  }

  async deregister(hostId: string, incarnation: string): Promise<void> {
    if (this.#hosts.get(hostId)?.incarnation === incarnation) this.#hosts.delete(hostId);
  }

  async ensureShards(shards: readonly string[]): Promise<void> {
    for (const shard of shards) {
      if (!this.#shards.has(shard)) this.#shards.set(shard, { shard, epoch: 0, owner: null, ownerIncarnation: null });
    }
  }

  async shards(): Promise<readonly ShardRow[]> {
    return [...this.#shards.values()].sort((a, b) => (a.shard < b.shard ? -1 : 1)).map((row) => ({ ...row }));
  }

  async shard(shard: string): Promise<ShardRow | undefined> {
    return structuredClone(this.#shards.get(shard));
  }

  async acquire(seen: ShardRow, hostId: string, incarnation: string): Promise<ShardRow | undefined> {
    const row = this.#shards.get(seen.shard);
    const moved =
      row === undefined ||
      row.epoch !== seen.epoch ||
      row.owner !== seen.owner ||
      row.ownerIncarnation !== seen.ownerIncarnation;
    if (moved) return undefined;
    const mine = { shard: seen.shard, epoch: seen.epoch + 1, owner: hostId, ownerIncarnation: incarnation };
    this.#shards.set(seen.shard, mine);
    return { ...mine };
  }

  async release(shard: string, incarnation: string, epoch: number): Promise<void> {
    const row = this.#shards.get(shard);
    if (row === undefined || row.ownerIncarnation !== incarnation || row.epoch !== epoch) return;
    this.#shards.set(shard, { ...row, owner: null, ownerIncarnation: null });
  }
}
