import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { TABLES } from '../contracts/resources.ts';
import { type ApiKeyRow, apiKeyRowSchema } from '../contracts/rows.ts';
import type { ApiKeyStore } from '../ports/api-key-store.ts';
import { DynamoDbTable } from './dynamodb-table.ts';

export class DynamoDbApiKeyStore implements ApiKeyStore {
  readonly #table: DynamoDbTable;

  constructor(client: DynamoDBDocumentClient, tableName: string = TABLES.apiKeys) {
    this.#table = new DynamoDbTable(client, tableName);
  }

  async get(keyHash: string): Promise<ApiKeyRow | undefined> {
    const item = await this.#table.get({ keyHash });
    return item && apiKeyRowSchema.parse(item);
  }

  async put(row: ApiKeyRow): Promise<void> {
    await this.#table.put(row);
  }
}
