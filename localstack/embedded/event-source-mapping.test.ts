import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EventSourceMapping, startEventSourceMapping, succeededMessages } from './event-source-mapping.ts';
import { FunctionRegistry } from './function-registry.ts';
import type { Listener } from './loopback-listener.ts';
import { startSqsS3 } from './sqs-s3.ts';
import { until } from './test-support/until.ts';

describe('what a batch leaves to delete', () => {
  const message = (MessageId: string, MessageGroupId?: string): Message => ({
    MessageId,
    ...(MessageGroupId === undefined ? {} : { Attributes: { MessageGroupId } }),
  });
  const plain = ['1', '2', '3'].map((id) => message(id));
  const grouped = [message('1', 'a'), message('2', 'b'), message('3', 'a'), message('4', 'b'), message('5', 'a')];
  const failures = (...ids: string[]) => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });

  it.each([
    ['nothing answered', undefined, ['1', '2', '3']],
    ['null', null, ['1', '2', '3']],
    ['an answer about something else', { done: true }, ['1', '2', '3']],
    ['no failures', failures(), ['1', '2', '3']],
    ['null failures', { batchItemFailures: null }, ['1', '2', '3']],
    ['one failure', failures('2'), ['1', '3']],
    ['all failed', failures('1', '2', '3'), []],
    ['an unknown message', failures('9'), []],
    ['an empty id', failures(''), []],
    ['another form', { batchItemFailures: [{ id: '2' }] }, []],
    ['no list', { batchItemFailures: '2' }, []],
  ])('%s', (_name, result, ids) => {
    expect(succeededMessages(plain, result, false).map(({ MessageId }) => MessageId)).toEqual(ids);
  });

  it('in a FIFO queue: nothing behind a failure of the same group', () => {
    expect(succeededMessages(grouped, failures('3'), true).map(({ MessageId }) => MessageId)).toEqual(['1', '2', '4']);
    expect(succeededMessages(grouped, failures('1', '4'), true).map(({ MessageId }) => MessageId)).toEqual(['2']);
  });
});

describe('a mapping', () => {
  let listener: Listener;
  let sqs: SQSClient;
  let mapping: EventSourceMapping | undefined;
  let QueueUrl: string | undefined;
  const errors: unknown[] = [];

  beforeEach(async () => {
    listener = await startSqsS3();
    sqs = new SQSClient({
      endpoint: listener.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    QueueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: 'work' }))).QueueUrl;
    errors.length = 0;
  });
  afterEach(async () => {
    await mapping?.stop();
    mapping = undefined;
    await listener.close();
  });

  function map(handler: (event: SQSEvent) => Promise<unknown>, concurrency?: number): void {
    mapping = startEventSourceMapping({
      sqs,
      functions: new FunctionRegistry({ worker: { handler } }),
      queue: 'work',
      function: 'worker',
      batchSize: 10,
      onError: (error) => errors.push(error),
      ...(concurrency === undefined ? {} : { concurrency }),
    });
  }

  const send = (...bodies: string[]) =>
    sqs.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: bodies.map((MessageBody, index) => ({
          Id: String(index),
          MessageBody,
          MessageAttributes: { kind: { DataType: 'String', StringValue: 'test' } },
        })),
      }),
    );

  const shortVisibility = () =>
    sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: '2' } }));

  const left = async () => {
    const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }),
    );
    return AttributeNames.reduce((sum, name) => sum + Number(Attributes?.[name]), 0);
  };
  const untilLeft = (count: number) => until(async () => ((await left()) === count ? true : undefined));

  it('hands on records as Lambda does and deletes them afterwards', async () => {
    const records: SQSRecord[] = [];
    map(async (event) => void records.push(...event.Records));
    await send('hello');
    await until(() => records[0]);
    expect(records[0]).toMatchObject({
      body: 'hello',
      messageId: expect.any(String),
      receiptHandle: expect.any(String),
      attributes: { ApproximateReceiveCount: '1', SentTimestamp: expect.stringMatching(/^\d+$/) },
      messageAttributes: { kind: { dataType: 'String', stringValue: 'test' } },
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:work',
      awsRegion: 'us-east-1',
    });
    await untilLeft(0);
  });

  it('brings back only the messages that failed', async () => {
    const seen: string[] = [];
    await shortVisibility();
    map(async ({ Records }) => {
      const bad = Records.filter(
        ({ body, attributes }) => body === 'bad' && attributes.ApproximateReceiveCount === '1',
      );
      seen.push(...Records.map(({ body }) => body));
      return { batchItemFailures: bad.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    });
    await send('good', 'bad', 'fine');
    await untilLeft(0);
    expect(seen.toSorted()).toEqual(['bad', 'bad', 'fine', 'good']);
  });

  it('brings back all when the function throws', async () => {
    let calls = 0;
    await shortVisibility();
    map(async () => {
      if (++calls === 1) throw new Error('first');
    });
    await send('a', 'b');
    await untilLeft(0);
    expect(errors).toMatchObject([{ message: 'first' }]);
    expect(calls).toBeGreaterThan(1);
  });

  /** A function that waits; `release` lets all of its invocations go on. */
  function gate() {
    let release = () => {};
    const opened = new Promise<void>((resolve) => {
      release = resolve;
    });
    const state = { running: 0, release: () => release() };
    const handler = async () => {
      state.running++;
      await opened;
    };
    return { state, handler };
  }
  const runningIs = (state: { readonly running: number }, count: number) =>
    until(() => (state.running === count ? true : undefined));
  /** Enough answers of the queue's server for a waiting receiver to have been served among them. */
  const roundTrips = async () => {
    for (let i = 0; i < 20; i++) await left();
  };

  it('runs no more invocations at once than allowed', async () => {
    const { state, handler } = gate();
    map(handler, 2);
    await send('a');
    await runningIs(state, 1);
    await send('b');
    await runningIs(state, 2);
    await send('c');
    await roundTrips();
    expect(state.running).toBe(2);
    state.release();
    await runningIs(state, 3);
    await untilLeft(0);
  });

  it('drains what runs when it stops, and takes nothing more', async () => {
    const { state, handler } = gate();
    map(handler);
    await send('last');
    await runningIs(state, 1);
    let stopped = false;
    const stopping = mapping?.stop().then(() => {
      stopped = true;
    });
    await roundTrips();
    expect(stopped).toBe(false);
    state.release();
    await stopping;
    expect(await left()).toBe(0);
    await send('later');
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));
    expect(Messages?.map(({ Body }) => Body)).toEqual(['later']);
    expect(state.running).toBe(1);
  });
});
