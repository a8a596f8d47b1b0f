import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { LocalCloud } from '#localstack/embedded/local-cloud.ts';
import { DynamoDbOwnershipStore } from '#shared/adapters/dynamodb-ownership-store.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';

/** Which host has which sessions, as the tables say. */
export class Fleet {
  readonly #ownership: DynamoDbOwnershipStore;
  readonly #sessions: DynamoDbSessionStore;
  #byShard: Promise<ReadonlyMap<string, readonly string[]>> | undefined;

  constructor({ clients }: LocalCloud) {
    const client = DynamoDBDocumentClient.from(clients.dynamodb);
    this.#ownership = new DynamoDbOwnershipStore(client);
    this.#sessions = new DynamoDbSessionStore(client);
  }

  /** Sessions of the shards whose rows name the host, whichever of its processes. */
  async sessionsOf(host: string): Promise<readonly string[]> {
    const byShard = await this.#sessionsByShard();
    const shards = await this.#ownership.shards();
    return shards.filter(({ owner }) => owner === host).flatMap(({ shard }) => byShard.get(shard) ?? []);
  }

  /** Hosts whose latest incarnation has a shard with sessions in it, with when that incarnation began, ms since 1970. */
  async owners(): Promise<ReadonlyMap<string, number>> {
    const byShard = await this.#sessionsByShard();
    const shards = (await this.#ownership.shards()).filter(({ shard }) => byShard.has(shard));
    const owning = new Set(shards.map(({ ownerIncarnation }) => ownerIncarnation));
    const hosts = (await this.#ownership.hosts()).filter(({ incarnation }) => owning.has(incarnation));
    return new Map(hosts.map(({ hostId, startedAt }) => [hostId, startedAt]));
  }

  /** A session stays in its shard. */
  #sessionsByShard(): Promise<ReadonlyMap<string, readonly string[]>> {
    this.#byShard ??= this.#sessions.list().then((rows) => {
      const groups = Map.groupBy(rows, ({ shard }) => shard);
      return new Map([...groups].map(([shard, members]) => [shard, members.map(({ name }) => name)]));
    });
    return this.#byShard;
  }
}
