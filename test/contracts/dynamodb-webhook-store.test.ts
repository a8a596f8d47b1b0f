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

it('reads of an endpoint’s deliveries only those that are tried again, however many have failed', async () => {
  const failed = Array.from({ length: 200 }, (_, seq) => delivery(seq, { state: 'FAILED' }));
  await store.setAside(KEY, [...failed, delivery(200)]);
  looked.length = 0;
  expect((await store.retrying('alpha', 'wh_1')).map(({ seq }) => seq)).toEqual([200]);
  expect(looked).toEqual([1]);
});
