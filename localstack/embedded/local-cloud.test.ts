import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, ListTargetsByRuleCommand, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetQueueUrlCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { afterEach, describe, expect, it } from 'vitest';
import { resourceDefinition } from '#shared/contracts/resource-definition.ts';
import { BUCKETS, BUS, EVENT_SOURCE, QUEUES, shardQueueName, TABLES } from '#shared/contracts/resources.ts';
import { type LocalCloud, startLocalCloud } from './local-cloud.ts';
import { until } from './test-support/until.ts';

let cloud: LocalCloud | undefined;
afterEach(async () => {
  await cloud?.stop();
  cloud = undefined;
});

describe('the local cloud', () => {
  it('makes the platform’s resources and carries an event from the bus through a queue to a function', async () => {
    const seen: unknown[] = [];
    const handler = async (event: SQSEvent) => {
      for (const record of event.Records) seen.push(JSON.parse(record.body).detail);
      return { batchItemFailures: [] };
    };
    const resources = resourceDefinition(2);
    cloud = await startLocalCloud({
      resources,
      functions: { 'event-projector': { handler } },
      api: { routes: [{ method: 'GET', path: '/ping', functionName: 'ping', auth: false }] },
    });
    const Entries = [{ Source: EVENT_SOURCE, DetailType: 'message.any', Detail: '{"id":1}', EventBusName: BUS }];
    const { FailedEntryCount } = await cloud.clients.eventBridge.send(new PutEventsCommand({ Entries }));
    expect(FailedEntryCount).toBe(0);
    await until(() => seen[0]);
    expect(seen).toEqual([{ id: 1 }]);
    expect(Object.values(cloud.listeners).map(({ host }) => host)).toEqual(Array(4).fill('127.0.0.1'));
    expect(QUEUES.projector).toBe(resources.eventSources[0]?.queue);
  });

  it.each([false, true])('stores items (engines in a thread of their own: %s)', async (isolate) => {
    cloud = await startLocalCloud({ resources: resourceDefinition(1), functions: {}, isolate });
    const { dynamodb } = cloud.clients;
    await dynamodb.send(
      new PutItemCommand({ TableName: TABLES.shards, Item: { shard: { S: 'a' }, epoch: { N: '1' } } }),
    );
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName: TABLES.shards, Key: { shard: { S: 'a' } } }));
    expect(Item?.epoch).toEqual({ N: '1' });
    expect(Object.values(cloud.listeners).map(({ host }) => host)).toEqual(Array(3).fill('127.0.0.1'));
  });

  it('takes away targets that a rule no longer has', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'cloud-'));
    try {
      const rule = (...ids: string[]) => ({
        ...resourceDefinition(1),
        rules: [{ name: 'r', pattern: { source: ['s'] }, targets: ids.map((id) => ({ id, function: id })) }],
      });
      cloud = await startLocalCloud({ dataDir, resources: rule('a', 'b'), functions: {} });
      await cloud.stop();
      cloud = await startLocalCloud({ dataDir, resources: rule('b'), functions: {} });
      const listing = new ListTargetsByRuleCommand({ Rule: 'r', EventBusName: BUS });
      const { Targets } = await cloud.clients.eventBridge.send(listing);
      expect(Targets?.map(({ Id }) => Id)).toEqual(['b']);
      await cloud.stop();
    } finally {
      rmSync(dataDir, { recursive: true });
    }
  });

  it.each([false, true])('says why it cannot start (engines in a thread of their own: %s)', async (isolate) => {
    cloud = await startLocalCloud({ resources: resourceDefinition(1), functions: {} });
    const taken = { dynamodb: cloud.listeners.dynamodb?.port ?? 0 };
    const second = startLocalCloud({ resources: resourceDefinition(1), functions: {}, ports: taken, isolate });
    await expect(second).rejects.toThrow('EADDRINUSE');
  });

  it('loses nothing it acknowledged when its process is killed', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'cloud-'));
    const program = fileURLToPath(new URL('./test-support/cloud-process.ts', import.meta.url));
    const child = spawn(process.execPath, [program, dataDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [line] = await once(child.stdout, 'data');
      const env = JSON.parse(String(line));
      const account = { region: env.AWS_REGION, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
      const dynamodb = new DynamoDBClient({ ...account, endpoint: env.AWS_ENDPOINT_URL_DYNAMODB });
      const sqs = new SQSClient({ ...account, endpoint: env.AWS_ENDPOINT_URL_SQS });
      const s3 = new S3Client({ ...account, endpoint: env.AWS_ENDPOINT_URL_S3, forcePathStyle: true });
      const bus = new EventBridgeClient({ ...account, endpoint: env.AWS_ENDPOINT_URL_EVENTBRIDGE });
      await dynamodb.send(new PutItemCommand({ TableName: TABLES.shards, Item: { shard: { S: 'a' } } }));
      const QueueName = shardQueueName('socket-00');
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
      const MessageBody = 'job';
      await sqs.send(
        new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId: 'g', MessageDeduplicationId: 'd' }),
      );
      await s3.send(new PutObjectCommand({ Bucket: BUCKETS.state, Key: 'k', Body: 'checkpoint' }));
      const Entries = [{ Source: 'hook', DetailType: 'message.any', Detail: '{"n":7}', EventBusName: BUS }];
      await bus.send(new PutEventsCommand({ Entries }));
      child.kill('SIGKILL');
      await once(child, 'exit');

      const seen: unknown[] = [];
      const handler = async (event: { readonly detail: unknown }) => void seen.push(event.detail);
      cloud = await startLocalCloud({ dataDir, resources: resourceDefinition(1), functions: { f: { handler } } });
      const { clients } = cloud;
      await until(() => seen[0]);
      expect(seen).toEqual([{ n: 7 }]);
      const Key = { shard: { S: 'a' } };
      const { Item } = await clients.dynamodb.send(new GetItemCommand({ TableName: TABLES.shards, Key }));
      expect(Item).toEqual(Key);
      const { Messages } = await clients.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
      expect(Messages?.map(({ Body }) => Body)).toEqual(['job']);
      const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket: BUCKETS.state, Key: 'k' }));
      expect(await Body?.transformToString()).toBe('checkpoint');
    } finally {
      child.kill('SIGKILL');
      await cloud?.stop();
      cloud = undefined;
      rmSync(dataDir, { recursive: true });
    }
  });
});
