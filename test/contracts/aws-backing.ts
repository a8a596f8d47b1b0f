import { randomUUID } from 'node:crypto';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import type { CloudEnvironment } from '#localstack/embedded/cloud-clients.ts';
import { startLocalCloud } from '#localstack/embedded/local-cloud.ts';
import { createResources, createTable } from '#localstack/embedded/resource-creation.ts';
import { type AwsClients, createAwsClients, destroyAwsClients } from '#shared/adapters/aws-clients.ts';
import { resourceDefinition } from '#shared/contracts/resource-definition.ts';
import type { ResourceDefinition } from '#shared/contracts/resource-shapes.ts';
import { EVENT_SOURCE } from '#shared/contracts/resources.ts';
import { removeEverything } from '#test/target/removal.ts';
import { outsideTarget } from '#test/target/target.ts';
import { KmsStub } from './kms-stub.ts';

/**
 * The target's DynamoDB, SQS, S3 and EventBridge, and the product's SDK clients in front of them. Every table, queue,
 * bucket and bus it makes is a fresh one, and is gone after `close`.
 */
export interface AwsBacking {
  readonly clients: AwsClients;
  /** By which any other client finds the target. */
  readonly env: CloudEnvironment;
  readonly kms: KmsStub;
  /** A new table of the form that the contracts give to `definition`. @returns its name */
  createTable(definition: string): Promise<string>;
  createBucket(): Promise<string>;
  createFifoQueue(): Promise<string>;
  /** A new bus with a rule that brings the platform's events to a queue. */
  createBus(): Promise<{ readonly bus: string; readonly queue: string }>;
  /** Takes everything that is in a queue. */
  takeAll(queue: string): Promise<readonly { readonly body: string; readonly reason: string }[]>;
  close(): Promise<void>;
}

const NOTHING = { tables: [], queues: [], buckets: [], rules: [], eventSources: [], schedules: [] };

export async function startAwsBacking(): Promise<AwsBacking> {
  const target = await openTarget();
  // No emulator keeps keys as KMS does.
  const kms = new KmsStub();
  const keys = await kms.listen();
  const restoreEnv = setEnv({ ...target.env, AWS_ENDPOINT_URL_KMS: keys.url });
  const clients = createAwsClients({ pathStyle: target.env.S3_PATH_STYLE === 'true' });
  const { dynamo, s3, sqs, eventBridge } = clients;
  const fresh = (name: string) => `${target.prefix}-${name}-${randomUUID().slice(0, 8)}`;
  const create = (resources: ResourceDefinition) =>
    createResources({ dynamodb: dynamo, s3, sqs, eventBridge }, resources);
  return {
    clients,
    env: target.env,
    kms,
    async createTable(definition) {
      const table = resourceDefinition(1).tables.find((candidate) => candidate.name === definition);
      if (table === undefined) throw new Error(`No table named ${definition}.`);
      const name = fresh('table');
      await createTable(dynamo, { ...table, name });
      return name;
    },
    async createBucket() {
      const name = fresh('bucket');
      await s3.send(new CreateBucketCommand({ Bucket: name }));
      return name;
    },
    async createFifoQueue() {
      const name = `${fresh('queue')}.fifo`;
      await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: { FifoQueue: 'true' } }));
      return name;
    },
    async createBus() {
      const [bus, queue] = [fresh('bus'), fresh('events')];
      const rule = { name: 'all', pattern: { source: [EVENT_SOURCE] }, targets: [{ id: 'queue', queue }] };
      const queues = [{ name: queue, fifo: false, visibilityTimeoutSeconds: 30 }];
      await create({ ...NOTHING, bus: { name: bus }, queues, rules: [rule] });
      return { bus, queue };
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
      destroyAwsClients(clients);
      restoreEnv();
      await Promise.all([target.close(), keys.close()]);
    },
  };
}

interface OpenTarget {
  readonly env: CloudEnvironment;
  readonly prefix: string;
  close(): Promise<void>;
}

async function openTarget(): Promise<OpenTarget> {
  const outside = outsideTarget();
  if (outside !== undefined) return { ...outside, close: () => removeEverything(outside) };
  const cloud = await startLocalCloud({ resources: { ...NOTHING, bus: { name: 'unused' } }, functions: {} });
  return { env: cloud.env, prefix: 'test', close: () => cloud.stop() };
}

/** @returns puts back what was there before */
export function setEnv(values: Readonly<Record<string, string | undefined>>): () => void {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, values);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}
