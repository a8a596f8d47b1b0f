import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { TABLES } from '../contracts/resources.ts';
import { type HostRow, hostRowSchema, type ShardRow, shardRowSchema } from '../contracts/rows.ts';
import { NotOwnerError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { OwnershipStore } from '../ports/ownership-store.ts';
import { DynamoDbTable } from './dynamodb-table.ts';
import { systemClock } from './system-clock.ts';

/** How long the row of a host that is gone stays for people to read. */
const HOST_ROW_KEPT_SECONDS = 24 * 60 * 60;

export interface OwnershipTables {
  readonly hosts: string;
  readonly shards: string;
}

export class DynamoDbOwnershipStore implements OwnershipStore {
  readonly #hosts: DynamoDbTable;
  readonly #shards: DynamoDbTable;
  readonly #clock: Clock;

  /** @param clock sets the expiry of host rows; ownership itself never looks at a wall clock */
  constructor(client: DynamoDBDocumentClient, { hosts, shards }: OwnershipTables = TABLES, clock: Clock = systemClock) {
    this.#hosts = new DynamoDbTable(client, hosts);
    this.#shards = new DynamoDbTable(client, shards);
    this.#clock = clock;
  }

  async register(host: HostRow, replaces: string | undefined): Promise<boolean> {
    const written =
      replaces === undefined
        ? await this.#hosts.create(host, 'hostId')
        : await this.#hosts.put(host, (e) => `${e.name('incarnation')} = ${e.value(replaces)}`);
    if (written) return true;
    // The write may have succeeded while its answer was lost; the repeated one then finds our own row.
    const now = await this.#hosts.get({ hostId: host.hostId });
    return now?.incarnation === host.incarnation;
  }

  async heartbeat(
    hostId: string,
    incarnation: string,
    rvn: number,
    sessions: number,
    state: HostRow['state'],
  ): Promise<void> {
    const ttl = Math.ceil(this.#clock.now() / 1000) + HOST_ROW_KEPT_SECONDS;
    const written = await this.#hosts.update({ hostId }, (e) => ({
      update: e.update({ rvn, sessions, state, ttl }),
      condition: [
        `${e.name('incarnation')} = ${e.value(incarnation)}`,
        `${e.name('state')} <> ${e.value('DEAD')}`,
        `${e.name('rvn')} <= ${e.value(rvn)}`,
      ].join(' AND '),
    }));
    if (written !== undefined) return;
    const item = await this.#hosts.get({ hostId });
    const host = item && hostRowSchema.parse(item);
    // A heartbeat that was overtaken by a later one of the same process proves nothing lost.
    if (host?.incarnation === incarnation && host.state !== 'DEAD') return;
    throw new NotOwnerError(`Host '${hostId}' was declared dead or replaced`);
  }

  async hosts(): Promise<readonly HostRow[]> {
    const items = await this.#hosts.scan();
    return items.map((item) => hostRowSchema.parse(item));
  }

  async declareDead(hostId: string, incarnation: string, rvn: number): Promise<boolean> {
    const written = await this.#hosts.update({ hostId }, (e) => ({
      update: e.update({ state: 'DEAD' }),
      condition: `${e.name('incarnation')} = ${e.value(incarnation)} AND ${e.name('rvn')} = ${e.value(rvn)}`,
    }));
    return written !== undefined;
  }

  async deregister(hostId: string, incarnation: string): Promise<void> {
    await this.#hosts.delete({ hostId }, (e) => `${e.name('incarnation')} = ${e.value(incarnation)}`);
  }

  async ensureShards(shards: readonly string[]): Promise<void> {
    const known = new Set((await this.shards()).map((row) => row.shard));
    const missing = shards.filter((shard) => !known.has(shard));
    const free = { epoch: 0, owner: null, ownerIncarnation: null };
    await Promise.all(missing.map((shard) => this.#shards.create({ shard, ...free }, 'shard')));
  }

  async shards(): Promise<readonly ShardRow[]> {
    const items = await this.#shards.scan();
    return items.map((item) => shardRowSchema.parse(item)).sort((a, b) => (a.shard < b.shard ? -1 : 1));
  }

  async shard(shard: string): Promise<ShardRow | undefined> {
    const item = await this.#shards.get({ shard });
    return item && shardRowSchema.parse(item);
  }

  async acquire(seen: ShardRow, hostId: string, incarnation: string): Promise<ShardRow | undefined> {
    const mine = { epoch: seen.epoch + 1, owner: hostId, ownerIncarnation: incarnation };
    const written = await this.#shards.update({ shard: seen.shard }, (e) => ({
      update: e.update(mine),
      condition: [
        `${e.name('epoch')} = ${e.value(seen.epoch)}`,
        `${e.name('owner')} = ${e.value(seen.owner)}`,
        `${e.name('ownerIncarnation')} = ${e.value(seen.ownerIncarnation)}`,
      ].join(' AND '),
    }));
    if (written !== undefined) return shardRowSchema.parse(written);
    // The write may have succeeded while its answer was lost; the repeated one then finds our own row.
    const now = await this.shard(seen.shard);
    return now?.epoch === mine.epoch && now.ownerIncarnation === incarnation ? now : undefined;
  }

  async release(shard: string, incarnation: string, epoch: number): Promise<void> {
    await this.#shards.update({ shard }, (e) => ({
      update: e.update({ owner: null, ownerIncarnation: null }),
      condition: `${e.name('ownerIncarnation')} = ${e.value(incarnation)} AND ${e.name('epoch')} = ${e.value(epoch)}`,
    }));
  }
}
