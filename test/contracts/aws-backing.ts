import { randomUUID } from 'node:crypto';
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateEventBusCommand,
  DeleteEventBusCommand,
  DeleteRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import type { CloudEnvironment } from '#localstack/embedded/cloud-clients.ts';
import { startLocalCloud } from '#localstack/embedded/local-cloud.ts';
import { createTable } from '#localstack/embedded/resource-creation.ts';
import { type AwsClients, createAwsClients, destroyAwsClients } from '#shared/adapters/aws-clients.ts';
import { EVENT_SOURCE, resourceDefinition } from '#shared/contracts/resources.ts';
import { targetEnvironment } from '#test/target/target.ts';

/**
 * The target's DynamoDB, SQS, S3 and EventBridge, and the product's SDK clients in front of them. Every table, queue,
 * bucket and bus it makes is a fresh one, and is gone after `close`.
 */
export interface AwsBacking {
  readonly clients: AwsClients;
  /** A new table of the form that the contracts give to `definition`. @returns its name */
  createTable(definition: string): Promise<string>;
  createBucket(): Promise<string>;
  createFifoQueue(): Promise<string>;
  /** A new bus with a rule that brings the platform's events to a queue. */
  createBus(): Promise<{ readonly name: string; readonly queue: string }>;
  /** Takes everything that is in a queue. */
  takeAll(queue: string): Promise<readonly { readonly body: string; readonly reason: string }[]>;
  close(): Promise<void>;
}

export async function startAwsBacking(): Promise<AwsBacking> {
  const target = await openTarget();
  const restoreEnv = setEnv(target.env);
  const clients = createAwsClients({ pathStyle: target.env.S3_PATH_STYLE === 'true' });
  const { dynamo, s3, sqs, eventBridge } = clients;
  const made: (() => Promise<unknown>)[] = [];
  const fresh = (name: string) => `${name}-${randomUUID().slice(0, 8)}`;

  const createQueue = async (name: string, Attributes: Record<string, string>): Promise<string> => {
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }));
    made.push(() => sqs.send(new DeleteQueueCommand({ QueueUrl })));
    return QueueUrl;
  };
  return {
    clients,
    async createTable(definition) {
      const table = resourceDefinition(1).tables.find((candidate) => candidate.name === definition);
      if (table === undefined) throw new Error(`No table named ${definition}.`);
      const name = fresh(definition);
      made.push(() => dynamo.send(new DeleteTableCommand({ TableName: name })));
      await createTable(dynamo, { ...table, name });
      return name;
    },
    async createBucket() {
      const Bucket = fresh('trunkline-test');
      await s3.send(new CreateBucketCommand({ Bucket }));
      made.push(async () => {
        for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket })) {
          await Promise.all(Contents.map(({ Key }) => s3.send(new DeleteObjectCommand({ Bucket, Key }))));
        }
        await s3.send(new DeleteBucketCommand({ Bucket }));
      });
      return Bucket;
    },
    async createFifoQueue() {
      const name = `${fresh('queue')}.fifo`;
      await createQueue(name, { FifoQueue: 'true' });
      return name;
    },
    async createBus() {
      const [name, queue] = [fresh('bus'), fresh('queue')];
      const QueueUrl = await createQueue(queue, {});
      const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
      const Arn = Attributes?.QueueArn ?? '';
      // Without it AWS delivers nothing; emulators do not ask.
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: Arn },
        ],
      });
      await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
      await eventBridge.send(new CreateEventBusCommand({ Name: name }));
      const rule = { EventBusName: name, Name: 'all' };
      const EventPattern = JSON.stringify({ source: [EVENT_SOURCE] });
      await eventBridge.send(new PutRuleCommand({ ...rule, EventPattern }));
      const targets = { EventBusName: name, Rule: 'all' };
      await eventBridge.send(new PutTargetsCommand({ ...targets, Targets: [{ Id: 'queue', Arn }] }));
      made.push(async () => {
        await eventBridge.send(new RemoveTargetsCommand({ ...targets, Ids: ['queue'] }));
        await eventBridge.send(new DeleteRuleCommand(rule));
        await eventBridge.send(new DeleteEventBusCommand({ Name: name }));
      });
      return { name, queue };
    },
    async takeAll(queue) {
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue }));
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
      );
      for (const { ReceiptHandle } of Messages) {
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
      return Messages.map(({ Body, MessageAttributes }) => ({
        body: Body ?? '',
        reason: MessageAttributes?.reason?.StringValue ?? '',
      }));
    },
    async close() {
      if (target.outlivesUs) await Promise.all(made.map((remove) => remove()));
      destroyAwsClients(clients);
      restoreEnv();
      await target.close();
    },
  };
}

interface OpenTarget {
  readonly env: CloudEnvironment;
  /** What was made there stays unless it is removed. */
  readonly outlivesUs: boolean;
  close(): Promise<void>;
}

async function openTarget(): Promise<OpenTarget> {
  const env = targetEnvironment();
  if (env !== undefined) return { env, outlivesUs: true, close: async () => {} };
  const nothing = { tables: [], queues: [], buckets: [], rules: [], eventSources: [], schedules: [] };
  const cloud = await startLocalCloud({ resources: { ...nothing, bus: { name: 'unused' } }, functions: {} });
  return { env: cloud.env, outlivesUs: false, close: () => cloud.stop() };
}

function setEnv(values: CloudEnvironment): () => void {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, values);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}
