import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Listener } from './loopback-listener.ts';
import { startSqsS3 } from './sqs-s3.ts';

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
let listener: Listener;
let s3: S3Client;
let sqs: SQSClient;

function connect(to: Listener) {
  listener = to;
  const base = { endpoint: to.url, region: 'us-east-1', credentials };
  s3 = new S3Client({ ...base, forcePathStyle: true });
  sqs = new SQSClient(base);
}

const put = (key: string, body: string, condition: { IfNoneMatch?: string; IfMatch?: string } = {}) =>
  s3.send(new PutObjectCommand({ Bucket: 'media', Key: key, Body: body, ...condition }));
const get = async (key: string) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'media', Key: key }));
  return await Body?.transformToString();
};
const status = async (sent: Promise<unknown>) =>
  await sent.then(
    () => 200,
    (error: { $metadata?: { httpStatusCode?: number } }) => error.$metadata?.httpStatusCode,
  );

describe('in memory', () => {
  beforeEach(async () => {
    connect(await startSqsS3());
    await s3.send(new CreateBucketCommand({ Bucket: 'media' }));
  });
  afterEach(() => listener.close());

  it('listens on the loopback address only', () => {
    expect(listener.host).toBe('127.0.0.1');
  });

  it('creates an object once when asked to create', async () => {
    expect(await status(put('a', 'first', { IfNoneMatch: '*' }))).toBe(200);
    await expect(put('a', 'second', { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
    expect(await get('a')).toBe('first');
  });

  it('has one winner among racing creators', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => status(put('race', String(i), { IfNoneMatch: '*' }))),
    );
    expect(outcomes.filter((code) => code === 200)).toHaveLength(1);
    expect(outcomes.filter((code) => code === 412)).toHaveLength(19);
  });

  it('replaces and deletes only the version that was named', async () => {
    const { ETag } = await put('b', 'one');
    expect(await status(put('b', 'two', { IfMatch: '"0"' }))).toBe(412);
    expect(await status(put('absent', 'x', { IfMatch: '"0"' }))).toBe(404);
    expect(await status(put('b', 'two', { IfMatch: ETag ?? '' }))).toBe(200);
    const remove = (IfMatch: string) => s3.send(new DeleteObjectCommand({ Bucket: 'media', Key: 'b', IfMatch }));
    expect(await status(remove(ETag ?? ''))).toBe(412);
    expect(await get('b')).toBe('two');
  });

  it('refuses what it does not have instead of overwriting the object', async () => {
    await put('c', 'body');
    const tagging = new PutObjectTaggingCommand({ Bucket: 'media', Key: 'c', Tagging: { TagSet: [] } });
    expect(await status(s3.send(tagging))).toBe(501);
    for (const name of ['acl', 'versioning', 'policy', 'retention', 'versionId=1']) {
      const response = await fetch(`${listener.url}/media/c?${name}`, { method: 'PUT', body: 'x' });
      expect([name, response.status]).toEqual([name, 501]);
    }
    expect(await get('c')).toBe('body');
  });

  it('answers presigned URLs until they expire, with the headers they ask for', async () => {
    await put('d', 'picture');
    const command = new GetObjectCommand({
      Bucket: 'media',
      Key: 'd',
      ResponseContentType: 'image/png',
      ResponseContentDisposition: 'inline',
    });
    const response = await fetch(await getSignedUrl(s3, command, { expiresIn: 60 }));
    expect(await response.text()).toBe('picture');
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(response.headers.get('content-disposition')).toBe('inline');
    const old = await getSignedUrl(s3, command, { expiresIn: 60, signingDate: new Date(Date.now() - 3_600_000) });
    expect((await fetch(old)).status).toBe(403);
  });

  it('takes objects larger than 11 MiB in one request', async () => {
    const body = Buffer.alloc(20 * 1024 * 1024, 7);
    await s3.send(new PutObjectCommand({ Bucket: 'media', Key: 'large', Body: body }));
    const { ContentLength } = await s3.send(new GetObjectCommand({ Bucket: 'media', Key: 'large' }));
    expect(ContentLength).toBe(body.length);
  });

  it('gives no message to a receiver that is gone', async () => {
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'jobs' }));
    const gone = new AbortController();
    const poll = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), { abortSignal: gone.signal });
    const aborted = expect(poll).rejects.toThrow();
    // The second client's answer proves that the server has read the first one's request.
    await sqs.send(new GetQueueUrlCommand({ QueueName: 'jobs' }));
    gone.abort();
    await aborted;
    await sqs.send(new GetQueueUrlCommand({ QueueName: 'jobs' }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'hello' }));
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
    expect(Messages?.map((message) => message.Body)).toEqual(['hello']);
  });
});

describe('with a directory', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sqs-s3-'));
  });
  afterEach(async () => {
    await listener.close();
    rmSync(directory, { recursive: true });
  });

  it('keeps objects, queues, order and deduplication over a restart', async () => {
    connect(await startSqsS3({ path: directory }));
    await s3.send(new CreateBucketCommand({ Bucket: 'media' }));
    await put('kept', 'body');
    const create = new CreateQueueCommand({ QueueName: 'jobs.fifo', Attributes: { FifoQueue: 'true' } });
    const { QueueUrl } = await sqs.send(create);
    const send = (body: string) =>
      sqs.send(
        new SendMessageCommand({
          QueueUrl,
          MessageBody: body,
          MessageGroupId: 'session',
          MessageDeduplicationId: body,
        }),
      );
    for (const body of ['1', '2', '3']) await send(body);
    await listener.close();

    connect(await startSqsS3({ path: directory }));
    expect(await get('kept')).toBe('body');
    const { QueueUrl: urlNow } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'jobs.fifo' }));
    expect(urlNow).toBe(`${listener.url}/000000000000/jobs.fifo`);
    await send('2');
    const seen: (string | undefined)[] = [];
    for (let i = 0; i < 4; i++) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
      for (const message of Messages) {
        seen.push(message.Body);
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
      }
    }
    expect(seen).toEqual(['1', '2', '3']);
  });

  it.each([false, true])('gives a message back when its visibility is set to zero (restart: %s)', async (restart) => {
    connect(await startSqsS3({ path: directory }));
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'plain' }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'again' }));
    const first = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    const ReceiptHandle = first.Messages?.[0]?.ReceiptHandle;
    await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    if (restart) {
      await listener.close();
      connect(await startSqsS3({ path: directory }));
    }
    const second = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 2 }));
    expect(second.Messages?.[0]?.Body).toBe('again');
  });
});
