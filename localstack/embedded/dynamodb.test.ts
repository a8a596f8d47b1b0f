import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { TableDefinition } from '#shared/contracts/resource-shapes.ts';
import { startDynamoDb } from './dynamodb.ts';
import type { Listener } from './loopback-listener.ts';
import { createTable } from './resource-creation.ts';

const TABLE: TableDefinition = {
  name: 'journal',
  partitionKey: { name: 'session', type: 'S' },
  sortKey: { name: 'lsn', type: 'N' },
  indexes: [{ name: 'byKind', partitionKey: { name: 'kind', type: 'S' }, sortKey: { name: 'lsn', type: 'N' } }],
};

let directory: string;
let listener: Listener;
let client: DynamoDBClient;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dynamodb-'));
  await start();
});
afterEach(async () => {
  await listener.close();
  rmSync(directory, { recursive: true });
});

async function start(): Promise<void> {
  listener = await startDynamoDb({ path: directory });
  client = new DynamoDBClient({
    endpoint: listener.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
}

const append = (lsn: number) =>
  client.send(
    new PutItemCommand({
      TableName: TABLE.name,
      Item: { session: { S: 'a' }, lsn: { N: String(lsn) }, kind: { S: 'seal' } },
      ConditionExpression: 'attribute_not_exists(lsn)',
    }),
  );

it('listens on the loopback address only', () => {
  expect(listener.host).toBe('127.0.0.1');
});

it('keeps tables, items and indexes over a restart', async () => {
  await createTable(client, TABLE);
  for (const lsn of [1, 2, 10]) await append(lsn);
  await listener.close();
  await start();
  await createTable(client, TABLE);
  const { Item } = await client.send(
    new GetItemCommand({ TableName: TABLE.name, Key: { session: { S: 'a' }, lsn: { N: '2' } } }),
  );
  expect(Item?.kind?.S).toBe('seal');
  const { Items } = await client.send(
    new QueryCommand({
      TableName: TABLE.name,
      IndexName: 'byKind',
      KeyConditionExpression: 'kind = :kind',
      ExpressionAttributeValues: { ':kind': { S: 'seal' } },
    }),
  );
  expect(Items?.map((item) => item.lsn?.N)).toEqual(['1', '2', '10']);
  await expect(append(10)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
});

it('refuses a directory whose tables have another shape', async () => {
  await createTable(client, TABLE);
  await expect(createTable(client, { ...TABLE, indexes: [] })).rejects.toThrow('Use another data directory');
  const partitionKey = { name: 'owner', type: 'S' } as const;
  await expect(createTable(client, { ...TABLE, partitionKey })).rejects.toThrow('Use another data directory');
});
