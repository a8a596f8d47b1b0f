import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '#localstack/demo/until.ts';
import type { Listener } from '#localstack/embedded/loopback-listener.ts';
import { KmsStub } from '../contracts/kms-stub.ts';
import { type RunningPlatform, runPlatform, untilStatus } from '../support/running-platform.ts';

const kms = new KmsStub();
let listener: Listener;
let running: RunningPlatform;

beforeAll(async () => {
  listener = await kms.listen();
  running = await runPlatform({
    hostEnv: { STATE_KEY_FILE: undefined, STATE_KMS_KEY_ID: 'alias/state', AWS_ENDPOINT_URL_KMS: listener.url },
  });
});
afterAll(async () => {
  await running.stop();
  await listener.close();
});

it('keeps a login under keys of KMS, and with the session its key goes', async () => {
  await running.pair('alpha');
  expect(await dataKeys(running)).toEqual([1]);
  running = await running.restart();
  await untilStatus(running.api, 'alpha', 'WORKING');
  expect(kms.calls.filter((call) => call === 'GenerateDataKey')).toHaveLength(1);
  expect(kms.calls).toContain('Decrypt');
  await running.api.raw('DELETE', '/api/sessions/alpha');
  await until('the session’s data key is gone', async () =>
    (await dataKeys(running)).length === 0 ? true : undefined,
  );
});

async function dataKeys({ platform }: RunningPlatform): Promise<readonly unknown[]> {
  const scan = new ScanCommand({ TableName: platform.names.tables.dataKeys });
  const { Items } = await DynamoDBDocumentClient.from(platform.cloud.clients.dynamodb).send(scan);
  return (Items ?? []).map(({ number }) => number);
}
