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

  /** Whether a host has a shard with sessions in it, taken by a process that began after `since`, ms since 1970. */
  async owns(host: string, since: number): Promise<boolean> {
    const byShard = await this.#sessionsByShard();
    const row = (await this.#ownership.hosts()).find(({ hostId }) => hostId === host);
    if (row === undefined || row.startedAt < since) return false;
    const shards = await this.#ownership.shards();
    return shards.some(({ shard, ownerIncarnation }) => ownerIncarnation === row.incarnation && byShard.has(shard));
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
