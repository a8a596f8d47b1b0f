import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { INDEXES, TABLES } from '../contracts/resources.ts';
import { type ApiKeyRow, apiKeyRowSchema } from '../contracts/rows.ts';
import type { ApiKeyStore } from '../ports/api-key-store.ts';
import { DynamoDbTable } from './dynamodb-table.ts';

const indexedSchema = apiKeyRowSchema.pick({ id: true, incarnation: true });

export class DynamoDbApiKeyStore implements ApiKeyStore {
  readonly #table: DynamoDbTable;

  constructor(client: DynamoDBDocumentClient, tableName: string = TABLES.apiKeys) {
    this.#table = new DynamoDbTable(client, tableName);
  }

  async get(id: string): Promise<ApiKeyRow | undefined> {
    const item = await this.#table.get({ id });
    return item && apiKeyRowSchema.parse(item);
  }

  async list(): Promise<readonly ApiKeyRow[]> {
    const items = await this.#table.scan();
    return items.map((item) => apiKeyRowSchema.parse(item));
  }

  async listBySession(session: string): Promise<readonly Pick<ApiKeyRow, 'id' | 'incarnation'>[]> {
    const rows: Pick<ApiKeyRow, 'id' | 'incarnation'>[] = [];
    const items = this.#table.query((e) => `${e.name('session')} = ${e.value(session)}`, {
      IndexName: INDEXES.keysBySession,
    });
    for await (const item of items) rows.push(indexedSchema.parse(item));
    return rows;
  }

  async create(row: ApiKeyRow): Promise<boolean> {
    return await this.#table.create(toItem(row), 'id');
  }

  async replace(row: ApiKeyRow): Promise<boolean> {
    const item = toItem({ ...row, version: row.version + 1 });
    return await this.#table.put(item, (e) => `${e.name('version')} = ${e.value(row.version)}`);
  }

  async used(id: string, at: number): Promise<void> {
    await this.#table.update(
      { id },
      (e) => ({ update: e.update({ lastUsedAt: at }), condition: `attribute_exists(${e.name('id')})` }),
      // Whoever calls this may write this attribute alone.
      'NONE',
    );
  }

  async remove(id: string, version: number): Promise<boolean> {
    return await this.#table.delete({ id }, (e) => `${e.name('version')} = ${e.value(version)}`);
  }

  async removeOfSession(id: string, incarnation: string): Promise<void> {
    await this.#table.delete(
      { id },
      (e) => `${e.name('incarnation')} = ${e.value(incarnation)} AND attribute_not_exists(${e.name('principal')})`,
    );
  }
}

/** `session` is a key of the index, so it must be text or not there. */
function toItem({ session, ...row }: ApiKeyRow): Record<string, unknown> {
  return session === null ? row : { ...row, session };
}
