import { setTimeout as delay } from 'node:timers/promises';
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { SQSEvent } from 'aws-lambda';
import { afterEach, describe, expect, it } from 'vitest';
import { BUS, EVENT_SOURCE, QUEUES, resourceDefinition, TABLES } from '#shared/contracts/resources.ts';
import { type LocalCloud, startLocalCloud } from './local-cloud.ts';

let cloud: LocalCloud | undefined;
afterEach(async () => {
  await cloud?.stop();
  cloud = undefined;
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('deadline');
    await delay(2);
  }
}

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
    const Entries = [{ Source: EVENT_SOURCE, DetailType: 'message', Detail: '{"id":1}', EventBusName: BUS }];
    const { FailedEntryCount } = await cloud.clients.eventBridge.send(new PutEventsCommand({ Entries }));
    expect(FailedEntryCount).toBe(0);
    await until(() => seen.length > 0);
    expect(seen).toEqual([{ id: 1 }]);
    for (const listener of Object.values(cloud.listeners)) expect(listener.host).toBe('127.0.0.1');
    expect(QUEUES.projector).toBe(resources.eventSources[0]?.queue);
  });

  it('stores items', async () => {
    cloud = await startLocalCloud({ resources: resourceDefinition(1), functions: {} });
    const { dynamodb } = cloud.clients;
    await dynamodb.send(
      new PutItemCommand({ TableName: TABLES.shards, Item: { shard: { S: 'a' }, epoch: { N: '1' } } }),
    );
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName: TABLES.shards, Key: { shard: { S: 'a' } } }));
    expect(Item?.epoch).toEqual({ N: '1' });
  });
});
