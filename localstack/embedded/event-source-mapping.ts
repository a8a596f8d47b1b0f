import {
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import { queueArn, REGION } from './aws-identity.ts';
import type { FunctionRegistry } from './function-registry.ts';

const WAIT_SECONDS = 20;
const RETRY_DELAY_MS = 500;
/** The queue may have given a message to a poll that is no longer wanted; cut at once, it would be hidden until its timeout. */
const LAST_POLL_MS = 100;

export interface EventSourceMappingOptions {
  readonly sqs: SQSClient;
  readonly functions: FunctionRegistry;
  /** Name of the queue. */
  readonly queue: string;
  /** Name of the function. */
  readonly function: string;
  /** Messages per invocation, 1 to 10. */
  readonly batchSize: number;
  /** Invocations at the same time. @default 5 */
  readonly concurrency?: number;
  /** Told of failed invocations and failed requests to the queue. @default nobody */
  readonly onError?: (error: unknown) => void;
}

export interface EventSourceMapping {
  /** Stops receiving, resolves when the running invocations have ended and their messages are deleted. */
  stop(): Promise<void>;
}

/**
 * Feeds a function from a queue as Lambda does, with ReportBatchItemFailures on: messages of a successful invocation
 * are deleted, failed ones come back after the queue's visibility timeout.
 */
export function startEventSourceMapping(options: EventSourceMappingOptions): EventSourceMapping {
  const concurrency = options.concurrency ?? 5;
  const stopped = new AbortController();
  let isStopping = false;
  const running = new Set<Promise<void>>();
  const report = options.onError ?? (() => {});

  const receive = async (queueUrl: string): Promise<readonly Message[]> => {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: options.batchSize,
      WaitTimeSeconds: WAIT_SECONDS,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    });
    const { Messages } = await options.sqs.send(command, { abortSignal: stopped.signal });
    return Messages ?? [];
  };

  const work = async (queueUrl: string, messages: readonly Message[]): Promise<void> => {
    try {
      const finished = await invokeWithBatch(options, messages);
      if (finished.length === 0) return;
      const Entries = finished.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
      await options.sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    } catch (error) {
      report(error);
    }
  };

  const poll = async (): Promise<void> => {
    let queueUrl: string | undefined;
    while (!isStopping) {
      try {
        queueUrl ??= (await options.sqs.send(new GetQueueUrlCommand({ QueueName: options.queue }))).QueueUrl ?? '';
        const messages = await receive(queueUrl);
        if (messages.length === 0) continue;
        const task = work(queueUrl, messages).finally(() => running.delete(task));
        running.add(task);
        if (running.size >= concurrency) await Promise.race(running);
      } catch (error) {
        if (stopped.signal.aborted) break;
        report(error);
        await pause(RETRY_DELAY_MS, stopped.signal);
      }
    }
    await Promise.all(running);
  };

  const polling = poll();
  return {
    stop: async () => {
      isStopping = true;
      const cut = setTimeout(() => stopped.abort(), LAST_POLL_MS);
      await polling;
      clearTimeout(cut);
    },
  };
}

/** Invokes the function once; the answer is what may be deleted. */
async function invokeWithBatch(
  { functions, function: name, queue }: EventSourceMappingOptions,
  messages: readonly Message[],
): Promise<readonly Message[]> {
  const event: SQSEvent = { Records: messages.map((message) => sqsRecord(message, queue)) };
  const result = await functions.invoke(name, event);
  return succeededMessages(messages, result, queue.endsWith('.fifo'));
}

const resultSchema = z.object({
  batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish(),
});

/**
 * The messages a function's answer leaves to delete. An answer that names an unknown message, or is not of the known
 * form, fails the whole batch. In a FIFO queue nothing behind a failed message of the same group is deleted.
 */
export function succeededMessages(messages: readonly Message[], result: unknown, fifo: boolean): readonly Message[] {
  if (result === undefined || result === null) return messages;
  const parsed = resultSchema.safeParse(result);
  if (!parsed.success) return typeof result === 'object' && !('batchItemFailures' in result) ? messages : [];
  const failed = new Set((parsed.data.batchItemFailures ?? []).map(({ itemIdentifier }) => itemIdentifier));
  const known = new Set(messages.map(({ MessageId }) => MessageId));
  if ([...failed].some((id) => !known.has(id))) return [];
  const blockedGroups = new Set<string | undefined>();
  return messages.filter(({ MessageId = '', Attributes }) => {
    const group = Attributes?.MessageGroupId;
    if (failed.has(MessageId)) blockedGroups.add(group);
    return !failed.has(MessageId) && !(fifo && blockedGroups.has(group));
  });
}

function sqsRecord(message: Message, queue: string): SQSRecord {
  const attributes = message.Attributes ?? {};
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: {
      ...attributes,
      ApproximateReceiveCount: attributes.ApproximateReceiveCount ?? '1',
      SentTimestamp: attributes.SentTimestamp ?? '0',
      SenderId: attributes.SenderId ?? '',
      ApproximateFirstReceiveTimestamp: attributes.ApproximateFirstReceiveTimestamp ?? '0',
    },
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [
        name,
        {
          dataType: value.DataType ?? 'String',
          ...(value.StringValue === undefined ? {} : { stringValue: value.StringValue }),
          ...(value.BinaryValue === undefined
            ? {}
            : { binaryValue: Buffer.from(value.BinaryValue).toString('base64') }),
        },
      ]),
    ),
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn(queue),
    awsRegion: REGION,
  };
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
