import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { TABLES } from '../contracts/resources.ts';
import type { JournalSession } from '../ports/journal-store.ts';
import { DynamoDbTable } from './dynamodb-table.ts';

const wrappedKeySchema = z.object({ number: z.number(), wrapped: z.instanceof(Uint8Array), createdAt: z.number() });

/** A data key as it may be stored: encrypted under the master key. */
export interface WrappedKey {
  readonly number: number;
  readonly wrapped: Uint8Array;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** Key (`session` = name#incarnation, `number`): a session's first data key is 1, each later one is one more. */
export class DynamoDbWrappedKeyStore {
  readonly #table: DynamoDbTable;

  constructor(client: DynamoDBDocumentClient, tableName: string = TABLES.dataKeys) {
    this.#table = new DynamoDbTable(client, tableName);
  }

  async get(session: JournalSession, number: number): Promise<WrappedKey | undefined> {
    const item = await this.#table.get({ session: partition(session), number });
    return item && wrappedKeySchema.parse(item);
  }

  async newest(session: JournalSession): Promise<WrappedKey | undefined> {
    const items = this.#table.query((e) => `${e.name('session')} = ${e.value(partition(session))}`, {
      ConsistentRead: true,
      ScanIndexForward: false,
      Limit: 1,
    });
    for await (const item of items) return wrappedKeySchema.parse(item);
    return undefined;
  }

  /** @returns false when there is a key with this number */
  async add(session: JournalSession, key: WrappedKey): Promise<boolean> {
    return await this.#table.create({ session: partition(session), ...key }, 'number');
  }

  async clear(session: JournalSession): Promise<void> {
    await this.#table.deletePartition('session', partition(session), 'number');
  }
}

function partition({ name, incarnation }: JournalSession): string {
  return `${name}#${incarnation}`;
}
