import { createServer, type Server } from 'node:http';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Listener, listen } from '#localstack/embedded/loopback-listener.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { seeded } from './random.ts';

let server: Server;
let service: Listener;
let calls: string[] = [];
/** Paths that are never answered, and whose callers have gone. */
let abandoned: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      calls.push(`${request.method} ${request.url} ${Buffer.concat(chunks)}`);
      if (request.url === '/poll') response.on('close', () => abandoned.push('/poll'));
      else response.writeHead(201, { 'x-from': 'service' }).end('done');
    });
  });
  service = await listen(server);
});
afterAll(() => service.close());

const proxies: FaultProxy[] = [];
async function proxyFor(name: 'dynamodb' | 'sqs' | 's3', forward = true): Promise<FaultProxy> {
  const proxy = await startFaultProxy(name, seeded(1));
  if (forward) proxy.forwardTo(service.url);
  proxies.push(proxy);
  return proxy;
}
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.close();
  calls = [];
  abandoned = [];
});

const post = (proxy: FaultProxy, path = '/x') => fetch(`${proxy.url}${path}`, { method: 'POST', body: 'hello' });
const account = { region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, maxAttempts: 1 };

describe('without a fault', () => {
  it('passes calls and answers on unchanged', async () => {
    const answer = await post(await proxyFor('sqs'));
    expect([answer.status, answer.headers.get('x-from'), await answer.text()]).toEqual([201, 'service', 'done']);
    expect(calls).toEqual(['POST /x hello']);
  });

  it('keeps calls until it knows where to', async () => {
    const proxy = await proxyFor('sqs', false);
    const answer = post(proxy);
    proxy.forwardTo(service.url);
    expect((await answer).status).toBe(201);
  });

  it('gives a call up when its caller does', async () => {
    const proxy = await proxyFor('sqs');
    const gone = new AbortController();
    const answer = fetch(`${proxy.url}/poll`, { method: 'POST', body: 'x', signal: gone.signal });
    await expect.poll(() => calls.length).toBe(1);
    gone.abort();
    await expect(answer).rejects.toThrow();
    await expect.poll(() => abandoned).toEqual(['/poll']);
  });
});

describe('with a slow operation', () => {
  it('lets other calls overtake it', async () => {
    const held = Promise.withResolvers<void>();
    const proxy = await startFaultProxy('dynamodb', seeded(1), { operation: 'PutItem', held: () => held.promise });
    proxies.push(proxy);
    proxy.forwardTo(service.url);
    const call = (operation: string) =>
      fetch(`${proxy.url}/${operation}`, {
        method: 'POST',
        headers: { 'x-amz-target': `DynamoDB_20120810.${operation}` },
      });
    const slow = call('PutItem');
    expect((await call('UpdateItem')).status).toBe(201);
    held.resolve();
    expect((await slow).status).toBe(201);
    expect(calls).toEqual(['POST /UpdateItem ', 'POST /PutItem ']);
  });
});

describe('with a fault', () => {
  it('the answer can be lost although the call was done', async () => {
    const proxy = await proxyFor('sqs');
    proxy.inject({ failure: 'lose-answer', rate: 1, delayMs: 0 });
    await expect(post(proxy)).rejects.toThrow();
    expect(calls).toEqual(['POST /x hello']);
    expect(proxy.hits).toBe(1);
  });

  it('the call can be cut before it is done', async () => {
    const proxy = await proxyFor('sqs');
    proxy.inject({ failure: 'reset', rate: 1, delayMs: 0 });
    await expect(post(proxy)).rejects.toThrow();
    expect(calls).toEqual([]);
  });

  it('it ends when it is taken back', async () => {
    const proxy = await proxyFor('sqs');
    proxy.inject({ failure: 'fail', rate: 1, delayMs: 0 });
    expect((await post(proxy)).status).toBe(500);
    proxy.inject(undefined);
    expect((await post(proxy)).status).toBe(201);
  });

  it('only a part of the calls is hit', async () => {
    const proxy = await proxyFor('sqs');
    proxy.inject({ failure: 'fail', rate: 0.5, delayMs: 0 });
    for (let n = 0; n < 40; n += 1) await (await post(proxy)).text();
    expect(proxy.hits).toBeGreaterThan(5);
    expect(calls.length).toBe(40 - proxy.hits);
  });

  it('DynamoDB, SQS and S3 say in their own words that it is too much', async () => {
    const say = async (name: 'dynamodb' | 'sqs' | 's3') => {
      const proxy = await proxyFor(name);
      proxy.inject({ failure: 'throttle', rate: 1, delayMs: 0 });
      return proxy.url;
    };
    const dynamo = new DynamoDBClient({ ...account, endpoint: await say('dynamodb') });
    await expect(dynamo.send(new ListTablesCommand({}))).rejects.toMatchObject({
      name: 'ProvisionedThroughputExceededException',
    });
    const sqs = new SQSClient({ ...account, endpoint: await say('sqs') });
    await expect(sqs.send(new ListQueuesCommand({}))).rejects.toMatchObject({ name: 'ThrottlingException' });
    const s3 = new S3Client({ ...account, endpoint: await say('s3'), forcePathStyle: true });
    await expect(s3.send(new GetObjectCommand({ Bucket: 'a', Key: 'b' }))).rejects.toMatchObject({ name: 'SlowDown' });
    expect(calls).toEqual([]);
  });
});
