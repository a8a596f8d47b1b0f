import { afterAll, beforeAll, expect, it } from 'vitest';
import { DynamoDbWebhookStore } from '#shared/adapters/dynamodb-webhook-store.ts';
import { TABLES } from '#shared/contracts/resources.ts';
import { type AwsBacking, startAwsBacking } from './aws-backing.ts';
import { delivery } from './webhook-store-contract.ts';

const KEY = { session: 'alpha', endpointId: 'wh_1', addedAt: 5 };

let aws: AwsBacking;
let store: DynamoDbWebhookStore;
/** Items that each query of the table looked at. */
const looked: number[] = [];

beforeAll(async () => {
  aws = await startAwsBacking();
  const [webhookEndpoints, webhookDeliveries] = await Promise.all([
    aws.createTable(TABLES.webhookEndpoints),
    aws.createTable(TABLES.webhookDeliveries),
  ]);
  aws.clients.dynamo.middlewareStack.add((next) => async (args) => {
    const answer = await next(args);
    if (typeof answer.output === 'object' && 'ScannedCount' in answer.output)
      looked.push(Number(answer.output.ScannedCount));
    return answer;
  });
  store = new DynamoDbWebhookStore(aws.clients.dynamo, { webhookEndpoints, webhookDeliveries });
  await store.declare('alpha', 'wh_1', 5, 0);
});
afterAll(async () => {
  await aws?.close();
});

it('looks at no other delivery than those that are wanted, however many there are', async () => {
  const failed = Array.from({ length: 100 }, (_, seq) => delivery(seq, { state: 'FAILED' }));
  const waiting = Array.from({ length: 100 }, (_, index) => delivery(100 + index, { dueAt: 50 + index }));
  await store.setAside(KEY, [...failed, ...waiting, delivery(200), delivery(201, { state: 'FAILED' })]);
  const looks = async (read: Promise<readonly { readonly seq: number }[]>) => {
    looked.length = 0;
    return [(await read).map(({ seq }) => seq), looked.reduce((sum, count) => sum + count, 0)];
  };
  expect(await looks(store.due(KEY, 49, 10))).toEqual([[200], 1]);
  expect(await looks(store.due(KEY, 99, 2))).toEqual([[200, 100], 2]);
  expect(await looks(store.deliveries(KEY, { state: 'RETRYING', limit: 2, after: -1 }))).toEqual([[100, 101], 2]);
  expect(await looks(store.deliveries(KEY, { state: 'FAILED', limit: 2, after: 98 }))).toEqual([[99, 201], 2]);
});
