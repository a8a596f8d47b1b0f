import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { DynamoDbOwnershipStore } from '#shared/adapters/dynamodb-ownership-store.ts';
import { TABLES } from '#shared/contracts/resources.ts';
import type { ShardRow } from '#shared/contracts/rows.ts';
import { BENCH_USER_AGENT } from './aws-call-counter.ts';

/** A look into a platform's tables. */
export class Tables {
  readonly #client: DynamoDBClient;

  /** @param env of the local cloud */
  constructor(env: Readonly<Record<string, string>>) {
    this.#client = new DynamoDBClient({
      region: env.AWS_REGION ?? '',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      endpoint: env.AWS_ENDPOINT_URL_DYNAMODB ?? '',
      customUserAgent: BENCH_USER_AGENT,
    });
  }

  shards(): Promise<readonly ShardRow[]> {
    return new DynamoDbOwnershipStore(DynamoDBDocumentClient.from(this.#client)).shards();
  }

  async hasJournal(): Promise<boolean> {
    const { Count = 0 } = await this.#client.send(new ScanCommand({ TableName: TABLES.journal, Limit: 1 }));
    return Count > 0;
  }

  close(): void {
    this.#client.destroy();
  }
}
