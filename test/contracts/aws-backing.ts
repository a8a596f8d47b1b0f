import { randomUUID } from 'node:crypto';
import { CreateTableCommand, type CreateTableCommandInput, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import { startDynamoDb } from '#localstack/embedded/dynamodb.ts';
import { startSqsS3 } from '#localstack/embedded/sqs-s3.ts';
import { type AwsClients, createAwsClients, destroyAwsClients } from '#shared/adapters/aws-clients.ts';
import { type KeyDefinition, resourceDefinition } from '#shared/contracts/resources.ts';
import { EventBridgeStub } from './event-bridge-stub.ts';
import { KmsStub } from './kms-stub.ts';

/** Local servers and the real SDK clients in front of them. Every table, queue and bucket it makes is a fresh one. */
export interface AwsBacking {
  readonly clients: AwsClients;
  readonly eventBridge: EventBridgeStub;
  readonly kms: KmsStub;
  /** A new table of the form that the contracts give to `definition`. @returns its name */
  createTable(definition: string): Promise<string>;
  createBucket(): Promise<string>;
  createFifoQueue(): Promise<string>;
  /** Takes everything that is in a queue. */
  takeAll(queue: string): Promise<readonly { readonly body: string; readonly reason: string }[]>;
  close(): Promise<void>;
}

export async function startAwsBacking(): Promise<AwsBacking> {
  const eventBridge = new EventBridgeStub();
  const kms = new KmsStub();
  const [dynamo, sqsS3, events, keys] = await Promise.all([
    startDynamoDb(),
    startSqsS3(),
    eventBridge.listen(),
    kms.listen(),
  ]);
  const restoreEnv = setEnv({
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.url,
    AWS_ENDPOINT_URL_SQS: sqsS3.url,
    AWS_ENDPOINT_URL_S3: sqsS3.url,
    AWS_ENDPOINT_URL_EVENTBRIDGE: events.url,
    AWS_ENDPOINT_URL_KMS: keys.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  const clients = createAwsClients({ pathStyle: true });
  const fresh = (name: string) => `${name}-${randomUUID().slice(0, 8)}`;
  return {
    clients,
    eventBridge,
    kms,
    async createTable(definition) {
      const name = fresh(definition);
      await clients.dynamo.send(new CreateTableCommand(tableInput(definition, name)));
      await waitUntilTableExists({ client: clients.dynamo, maxWaitTime: 10, minDelay: 0.01 }, { TableName: name });
      return name;
    },
    async createBucket() {
      const name = fresh('bucket');
      await clients.s3.send(new CreateBucketCommand({ Bucket: name }));
      return name;
    },
    async createFifoQueue() {
      const name = `${fresh('queue')}.fifo`;
      await clients.sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: { FifoQueue: 'true' } }));
      return name;
    },
    async takeAll(queue) {
      const { QueueUrl } = await clients.sqs.send(new GetQueueUrlCommand({ QueueName: queue }));
      const { Messages = [] } = await clients.sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
      );
      for (const { ReceiptHandle } of Messages) {
        await clients.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
      return Messages.map(({ Body, MessageAttributes }) => ({
        body: Body ?? '',
        reason: MessageAttributes?.reason?.StringValue ?? '',
      }));
    },
    async close() {
      destroyAwsClients(clients);
      restoreEnv();
      await Promise.all([dynamo.close(), sqsS3.close(), events.close(), keys.close()]);
    },
  };
}

function tableInput(definition: string, name: string): CreateTableCommandInput {
  const table = resourceDefinition(1).tables.find((candidate) => candidate.name === definition);
  if (table === undefined) throw new Error(`No table named ${definition}.`);
  const indexes = table.indexes ?? [];
  const keys = [table, ...indexes].flatMap(({ partitionKey, sortKey }) => [
    partitionKey,
    ...(sortKey ? [sortKey] : []),
  ]);
  const attributes = new Map(keys.map((key) => [key.name, key.type]));
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keySchema(table),
    AttributeDefinitions: [...attributes].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType })),
    ...(indexes.length > 0 && {
      GlobalSecondaryIndexes: indexes.map((index) => ({
        IndexName: index.name,
        KeySchema: keySchema(index),
        Projection:
          index.attributes === undefined
            ? { ProjectionType: 'ALL' as const }
            : { ProjectionType: 'INCLUDE' as const, NonKeyAttributes: [...index.attributes] },
      })),
    }),
  };
}

function keySchema({
  partitionKey,
  sortKey,
}: {
  readonly partitionKey: KeyDefinition;
  readonly sortKey?: KeyDefinition;
}) {
  return [
    { AttributeName: partitionKey.name, KeyType: 'HASH' as const },
    ...(sortKey === undefined ? [] : [{ AttributeName: sortKey.name, KeyType: 'RANGE' as const }]),
  ];
}

/** @returns puts back what was there before */
export function setEnv(values: Readonly<Record<string, string>>): () => void {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, values);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}
