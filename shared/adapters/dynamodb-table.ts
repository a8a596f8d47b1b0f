import { setTimeout as delay } from 'node:timers/promises';
import {
  BatchGetCommand,
  BatchWriteCommand,
  type BatchWriteCommandInput,
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  type ScanCommandInput,
  type ScanCommandOutput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { DependencyError } from '../domain/errors.ts';
import { awsErrorName, dependencyError } from './aws-errors.ts';
import { Expression } from './dynamodb-expression.ts';

export type Key = Readonly<Record<string, string | number>>;
type Item = Record<string, unknown>;
type WriteRequest = NonNullable<NonNullable<BatchWriteCommandInput['RequestItems']>[string]>[number];

export interface QueryOptions extends Pick<QueryCommandInput, 'IndexName' | 'ScanIndexForward' | 'ConsistentRead'> {
  /** Items on a page. */
  readonly Limit?: number;
  /** The only attributes that are wanted. */
  readonly attributes?: readonly string[];
}

export type ScanOptions = Pick<ScanCommandInput, 'Segment' | 'TotalSegments' | 'Select'>;

const BATCH_GET_LIMIT = 100;
const BATCH_WRITE_LIMIT = 25;
const FIRST_BACKOFF_MS = 50;
const LONGEST_BACKOFF_MS = 5_000;
/** Nothing of a batch was written: the table takes no more at the moment. */
const THROTTLED: ReadonlySet<string | undefined> = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
]);
/** How often in a row the table may leave something unprocessed. */
const PUT_TURNS = 4;
const FIRST_PAUSE_MS = 25;

/** One table: the requests a repository makes of it. @throws DependencyError for whatever is not expected */
export class DynamoDbTable {
  readonly #client: DynamoDBDocumentClient;
  readonly #name: string;

  constructor(client: DynamoDBDocumentClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  /** Strongly consistent. */
  async get(key: Key): Promise<Item | undefined> {
    const { Item } = await this.#run('GetItem', () =>
      this.#client.send(new GetCommand({ TableName: this.#name, Key: key, ConsistentRead: true })),
    );
    return Item;
  }

  /** @returns false when `condition` did not hold */
  async put(item: Item, condition?: (e: Expression) => string): Promise<boolean> {
    const e = new Expression();
    const expression = condition?.(e);
    return await this.#conditional('PutItem', async () => {
      await this.#client.send(
        new PutCommand({
          TableName: this.#name,
          Item: item,
          ...(expression !== undefined && { ConditionExpression: expression, ...e.bindings() }),
        }),
      );
    });
  }

  /** Puts the row if there is none with this key. @returns false when there is one */
  async create(item: Item, keyAttribute: string): Promise<boolean> {
    return await this.put(item, (e) => `attribute_not_exists(${e.name(keyAttribute)})`);
  }

  /**
   * @param returned `NONE` where the caller may not see the rest of the item
   * @returns the new item; undefined when the condition did not hold, or nothing was to be returned
   */
  async update(
    key: Key,
    write: (e: Expression) => { readonly update: string; readonly condition?: string },
    returned: 'ALL_NEW' | 'NONE' = 'ALL_NEW',
  ): Promise<Item | undefined> {
    const e = new Expression();
    const { update, condition } = write(e);
    let attributes: Item | undefined;
    await this.#conditional('UpdateItem', async () => {
      const answer = await this.#client.send(
        new UpdateCommand({
          TableName: this.#name,
          Key: key,
          UpdateExpression: update,
          ...(condition !== undefined && { ConditionExpression: condition }),
          ...e.bindings(),
          ReturnValues: returned,
        }),
      );
      attributes = answer.Attributes;
    });
    return attributes;
  }

  /** @returns false when `condition` did not hold */
  async delete(key: Key, condition: (e: Expression) => string): Promise<boolean> {
    const e = new Expression();
    const expression = condition(e);
    return await this.#conditional('DeleteItem', async () => {
      await this.#client.send(
        new DeleteCommand({ TableName: this.#name, Key: key, ConditionExpression: expression, ...e.bindings() }),
      );
    });
  }

  /** All items, strongly consistent, pages joined. */
  async scan(): Promise<readonly Item[]> {
    const items: Item[] = [];
    for await (const { Items = [] } of this.scanPages()) items.push(...Items);
    return items;
  }

  /** All items, or what `options` makes of them, strongly consistent. */
  async *scanPages(options: ScanOptions = {}): AsyncGenerator<Pick<ScanCommandOutput, 'Items' | 'Count'>> {
    const input = { TableName: this.#name, ConsistentRead: true, ...options };
    let start: Record<string, unknown> | undefined;
    do {
      const page = await this.#run('Scan', () =>
        this.#client.send(new ScanCommand({ ...input, ...(start !== undefined && { ExclusiveStartKey: start }) })),
      );
      yield page;
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
  }

  /** Items page by page, until the caller has enough. */
  async *query(where: (e: Expression) => string, { attributes, ...options }: QueryOptions = {}): AsyncGenerator<Item> {
    const e = new Expression();
    const input = {
      TableName: this.#name,
      ...options,
      KeyConditionExpression: where(e),
      ...(attributes !== undefined && { ProjectionExpression: attributes.map((name) => e.name(name)).join(', ') }),
      ...e.bindings(),
    };
    let start: Record<string, unknown> | undefined;
    do {
      const page = await this.#run('Query', () =>
        this.#client.send(new QueryCommand({ ...input, ...(start !== undefined && { ExclusiveStartKey: start }) })),
      );
      yield* page.Items ?? [];
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
  }

  /** How many items there are, counted up to `atMost`. */
  async count(where: (e: Expression) => string, IndexName: string, atMost: number): Promise<number> {
    const e = new Expression();
    const input = { TableName: this.#name, IndexName, KeyConditionExpression: where(e), ...e.bindings() };
    let count = 0;
    let start: Record<string, unknown> | undefined;
    do {
      const page = await this.#run('Query', () =>
        this.#client.send(
          new QueryCommand({
            ...input,
            Select: 'COUNT',
            Limit: atMost - count,
            ...(start !== undefined && { ExclusiveStartKey: start }),
          }),
        ),
      );
      count += page.Count ?? 0;
      start = page.LastEvaluatedKey;
    } while (start !== undefined && count < atMost);
    return count;
  }

  /**
   * Puts items over what there is. What the table does not process is asked for a few times more.
   * @param keyAttributes of this table
   * @returns the items that may not be there, and the error if a request failed
   */
  async putSome<T extends Item>(
    items: readonly T[],
    keyAttributes: readonly string[],
  ): Promise<{ readonly left: ReadonlySet<T>; readonly error?: DependencyError }> {
    const keyOf = (item: Item = {}) => JSON.stringify(keyAttributes.map((name) => item[name]));
    const waiting = new Map(items.map((item) => [keyOf(item), item]));
    for (let turns = 0; turns < PUT_TURNS && waiting.size > 0; ) {
      if (turns > 0) await delay(FIRST_PAUSE_MS * 2 ** turns * Math.random());
      const batch = [...waiting].slice(0, BATCH_WRITE_LIMIT);
      try {
        const requests = batch.map(([, item]) => ({ PutRequest: { Item: item } }));
        const left = new Set((await this.#write(requests)).map(({ PutRequest }) => keyOf(PutRequest?.Item)));
        for (const [key] of batch) if (!left.has(key)) waiting.delete(key);
        turns = left.size === 0 ? 0 : turns + 1;
      } catch (error) {
        if (error instanceof DependencyError) return { left: new Set(waiting.values()), error };
        throw error;
      }
    }
    return { left: new Set(waiting.values()) };
  }

  /** Items in no order; keys without an item are left out. */
  async getMany(keys: readonly Key[]): Promise<readonly Item[]> {
    const items: Item[] = [];
    for (let waiting = [...keys]; waiting.length > 0; ) {
      const batch = waiting.splice(0, BATCH_GET_LIMIT);
      const answer = await this.#run('BatchGetItem', () =>
        this.#client.send(new BatchGetCommand({ RequestItems: { [this.#name]: { Keys: batch } } })),
      );
      items.push(...(answer.Responses?.[this.#name] ?? []));
      waiting = [...waiting, ...(answer.UnprocessedKeys?.[this.#name]?.Keys ?? [])];
    }
    return items;
  }

  /** Removes every item of a partition. */
  async deletePartition(partitionKey: string, value: string, sortKey: string): Promise<void> {
    const items = this.query((e) => `${e.name(partitionKey)} = ${e.value(value)}`, {
      ConsistentRead: true,
      attributes: [sortKey],
    });
    const keys: Key[] = [];
    for await (const item of items) keys.push({ [partitionKey]: value, [sortKey]: keyValue(item[sortKey]) });
    await this.deleteMany(keys);
  }

  /** Removes the items with these keys, as far as there are any. */
  async deleteMany(keys: readonly Key[]): Promise<void> {
    await this.#writeAll(keys.map((key) => ({ DeleteRequest: { Key: key } })));
  }

  /** Puts items, in place of those with the same keys. */
  async putMany(items: readonly Item[]): Promise<void> {
    await this.#writeAll(items.map((item) => ({ PutRequest: { Item: item } })));
  }

  async #writeAll(requests: readonly WriteRequest[]): Promise<void> {
    const waiting = [...requests];
    for (let backoff = FIRST_BACKOFF_MS; waiting.length > 0; ) {
      const left = await this.#write(waiting.splice(0, BATCH_WRITE_LIMIT));
      waiting.push(...left);
      if (left.length > 0) await delay(backoff);
      backoff = left.length === 0 ? FIRST_BACKOFF_MS : Math.min(2 * backoff, LONGEST_BACKOFF_MS);
    }
  }

  /** @returns what the table did not take */
  async #write(batch: readonly WriteRequest[]): Promise<readonly WriteRequest[]> {
    return await this.#run('BatchWriteItem', async () => {
      try {
        const command = new BatchWriteCommand({ RequestItems: { [this.#name]: [...batch] } });
        return (await this.#client.send(command)).UnprocessedItems?.[this.#name] ?? [];
      } catch (error) {
        if (THROTTLED.has(awsErrorName(error))) return batch;
        throw error;
      }
    });
  }

  async #run<T>(operation: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw dependencyError(`DynamoDB ${operation} on ${this.#name}`, error);
    }
  }

  async #conditional(operation: string, send: () => Promise<void>): Promise<boolean> {
    try {
      await send();
      return true;
    } catch (error) {
      if (awsErrorName(error) === 'ConditionalCheckFailedException') return false;
      throw dependencyError(`DynamoDB ${operation} on ${this.#name}`, error);
    }
  }
}

function keyValue(value: unknown): string | number {
  if (typeof value === 'string' || typeof value === 'number') return value;
  throw new DependencyError('A sort key is neither text nor number');
}
