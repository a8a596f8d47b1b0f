import { setTimeout as delay } from 'node:timers/promises';
import {
  type AttributeDefinition,
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  type KeySchemaElement,
  ResourceNotFoundException,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import {
  CreateEventBusCommand,
  type EventBridgeClient,
  ListTargetsByRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  ResourceAlreadyExistsException,
} from '@aws-sdk/client-eventbridge';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type {
  KeyDefinition,
  QueueDefinition,
  ResourceDefinition,
  RuleDefinition,
  TableDefinition,
} from '#shared/contracts/resource-shapes.ts';
import { functionArn } from './aws-identity.ts';

/** AWS takes up to half a minute for a table with indexes. */
const TABLE_DEADLINE_MS = 60_000;
const TABLE_LOOK_MS = 50;
/** High-throughput mode: order and deduplication per message group. */
const FIFO_ATTRIBUTES = {
  FifoQueue: 'true',
  DeduplicationScope: 'messageGroup',
  FifoThroughputLimit: 'perMessageGroupId',
};

export interface ResourceClients {
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  readonly eventBridge: EventBridgeClient;
}

/**
 * Makes every resource that is not there yet, through the public API only, so it works against any endpoint.
 *
 * @throws if a table of that name exists with other keys or indexes
 */
export async function createResources(clients: ResourceClients, resources: ResourceDefinition): Promise<void> {
  const [queues] = await Promise.all([
    createQueues(clients.sqs, resources.queues),
    createBus(clients.eventBridge, resources.bus.name),
    ...resources.tables.map((table) => createTable(clients.dynamodb, table)),
    ...resources.buckets.map(({ name }) => createBucket(clients.s3, name)),
  ]);
  for (const rule of resources.rules) await createRule(clients, rule.bus ?? resources.bus.name, rule, queues);
}

/** Makes one table if it is not there, and waits until it can be used. */
export async function createTable(client: DynamoDBClient, table: TableDefinition): Promise<void> {
  const existing = await describe(client, table.name);
  if (existing === undefined) {
    await client.send(
      new CreateTableCommand({
        TableName: table.name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: attributesOf(table),
        KeySchema: keySchema(table),
        ...indexesOf(table),
      }),
    );
  } else if (shapeOf(existing) !== wantedShape(table)) {
    throw new Error(
      `The table ${table.name} exists with other keys or indexes than this version has. Use another data directory.`,
    );
  }
  const deadline = Date.now() + TABLE_DEADLINE_MS;
  while ((await describe(client, table.name))?.TableStatus !== 'ACTIVE') {
    if (Date.now() > deadline) throw new Error(`The table ${table.name} did not become active.`);
    await delay(TABLE_LOOK_MS);
  }
}

async function describe(client: DynamoDBClient, name: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: name }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

type Keys = Pick<TableDefinition, 'partitionKey' | 'sortKey'>;

const keysOf = ({ partitionKey, sortKey }: Keys): readonly KeyDefinition[] =>
  sortKey === undefined ? [partitionKey] : [partitionKey, sortKey];

const keySchema = (keys: Keys): KeySchemaElement[] =>
  keysOf(keys).map(({ name }, index) => ({ AttributeName: name, KeyType: index === 0 ? 'HASH' : 'RANGE' }));

function attributesOf(table: TableDefinition): AttributeDefinition[] {
  const types = new Map([table, ...(table.indexes ?? [])].flatMap(keysOf).map(({ name, type }) => [name, type]));
  return [...types].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType }));
}

function indexesOf({ indexes = [] }: TableDefinition) {
  const made = (isLocal: boolean) =>
    indexes
      .filter(({ local = false }) => local === isLocal)
      .map((index) => ({
        IndexName: index.name,
        KeySchema: keySchema(index),
        Projection:
          index.attributes === undefined
            ? { ProjectionType: 'ALL' as const }
            : { ProjectionType: 'INCLUDE' as const, NonKeyAttributes: [...index.attributes] },
      }));
  const [shared, local] = [made(false), made(true)];
  return {
    ...(shared.length > 0 && { GlobalSecondaryIndexes: shared }),
    ...(local.length > 0 && { LocalSecondaryIndexes: local }),
  };
}

const schemaText = (name: string, schema: readonly KeySchemaElement[] = []): string =>
  `${name}(${schema.map((key) => key.AttributeName).join()})`;

const wantedShape = (table: TableDefinition): string =>
  [
    schemaText('', keySchema(table)),
    ...(table.indexes ?? []).map((index) => schemaText(index.name, keySchema(index))).sort(),
  ].join();

const shapeOf = (table: TableDescription): string =>
  [
    schemaText('', table.KeySchema),
    ...[...(table.GlobalSecondaryIndexes ?? []), ...(table.LocalSecondaryIndexes ?? [])]
      .map((index) => schemaText(index.IndexName ?? '', index.KeySchema))
      .sort(),
  ].join();

async function createBucket(client: S3Client, name: string): Promise<void> {
  try {
    await client.send(new CreateBucketCommand({ Bucket: name }));
  } catch (error) {
    if (error instanceof Error && error.name === 'BucketAlreadyOwnedByYou') return;
    throw error;
  }
}

interface MadeQueue {
  readonly url: string;
  /** Names the endpoint's own account, so only the endpoint can tell it. */
  readonly arn: string;
}
type MadeQueues = ReadonlyMap<string, MadeQueue>;

/** Dead letter queues are queues of the same list, so all are made before any is pointed at another. */
async function createQueues(client: SQSClient, queues: readonly QueueDefinition[]): Promise<MadeQueues> {
  const made = new Map(
    await Promise.all(queues.map(async (queue) => [queue.name, await createQueue(client, queue)] as const)),
  );
  await Promise.all(
    queues.map(async (queue) => {
      const Attributes = changeableAttributes(queue, made);
      await client.send(new SetQueueAttributesCommand({ QueueUrl: queueNamed(queue.name, made).url, Attributes }));
    }),
  );
  return made;
}

async function createQueue(client: SQSClient, { name, fifo }: QueueDefinition): Promise<MadeQueue> {
  const Attributes = fifo ? FIFO_ATTRIBUTES : {};
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: name, Attributes }));
  const answer = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  return { url: QueueUrl, arn: answer.Attributes?.QueueArn ?? '' };
}

function changeableAttributes(queue: QueueDefinition, made: MadeQueues): Record<string, string> {
  const { deadLetterQueue, maxReceiveCount = 10 } = queue;
  if (deadLetterQueue === undefined) return { VisibilityTimeout: String(queue.visibilityTimeoutSeconds) };
  const deadLetterTargetArn = queueNamed(deadLetterQueue, made).arn;
  return {
    VisibilityTimeout: String(queue.visibilityTimeoutSeconds),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }),
  };
}

function queueNamed(name: string, made: MadeQueues): MadeQueue {
  const queue = made.get(name);
  if (queue === undefined) throw new Error(`The definition names a queue ${name} that is not in it.`);
  return queue;
}

async function createBus(client: EventBridgeClient, name: string): Promise<void> {
  try {
    await client.send(new CreateEventBusCommand({ Name: name }));
  } catch (error) {
    if (!(error instanceof ResourceAlreadyExistsException)) throw error;
  }
}

/** Targets an earlier version of the definition had are taken away. */
async function createRule(
  { eventBridge, sqs }: Pick<ResourceClients, 'eventBridge' | 'sqs'>,
  bus: string,
  rule: RuleDefinition,
  queues: MadeQueues,
): Promise<void> {
  const EventPattern = JSON.stringify(rule.pattern);
  const { RuleArn = '' } = await eventBridge.send(
    new PutRuleCommand({ Name: rule.name, EventBusName: bus, EventPattern }),
  );
  const used = rule.targets.flatMap(({ queue, deadLetterQueue }) => [queue, deadLetterQueue]);
  for (const name of used) if (name !== undefined) await admitRule(sqs, queueNamed(name, queues), RuleArn);
  const Targets = rule.targets.map(({ id, queue, function: name, deadLetterQueue }) => ({
    Id: id,
    Arn: queue === undefined ? functionArn(name ?? '') : queueNamed(queue, queues).arn,
    ...(deadLetterQueue === undefined ? {} : { DeadLetterConfig: { Arn: queueNamed(deadLetterQueue, queues).arn } }),
  }));
  const at = { Rule: rule.name, EventBusName: bus };
  const { FailedEntries = [] } = await eventBridge.send(new PutTargetsCommand({ ...at, Targets }));
  if (FailedEntries.length > 0) throw new Error(`Targets of rule ${rule.name} were refused.`);
  const { Targets: present = [] } = await eventBridge.send(new ListTargetsByRuleCommand(at));
  const Ids = present.flatMap(({ Id }) => (Id === undefined || rule.targets.some(({ id }) => id === Id) ? [] : [Id]));
  if (Ids.length > 0) await eventBridge.send(new RemoveTargetsCommand({ ...at, Ids }));
}

/** Without it AWS delivers nothing to the queue; emulators do not ask. */
async function admitRule(client: SQSClient, { url, arn }: MadeQueue, ruleArn: string): Promise<void> {
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: arn,
        Condition: { ArnEquals: { 'aws:SourceArn': ruleArn } },
      },
    ],
  });
  await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { Policy } }));
}
