import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { type ShardMessage, shardMessageSchema } from '../contracts/jobs.ts';
import { QUEUES, shardQueueName } from '../contracts/resources.ts';
import type { Lane, ReceivedShardMessage, ShardQueue } from '../ports/shard-queue.ts';
import { dependencyError } from './aws-errors.ts';
import { parsedJson } from './parsed-json.ts';
import { deduplicationKey, laneGroup } from './shard-lanes.ts';

export const LONG_POLL_SECONDS = 20;
const BATCH = 10;
const LAST_POLL_MS = 1_000;
const REASON_LENGTH = 256;
/** Together they are all that is in the queue. */
const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

export interface SqsShardQueueOptions {
  /** @default the contracts' names */
  readonly queueName?: (shard: string) => string;
  readonly deadLetterQueue?: string;
  /** How long an aborted poll may go on, for messages that are already on their way. @default 1000 */
  readonly lastPollMs?: number;
}

export class SqsShardQueue implements ShardQueue {
  readonly #client: SQSClient;
  readonly #queueName: (shard: string) => string;
  readonly #deadLetterQueue: string;
  readonly #lastPollMs: number;
  readonly #urls = new Map<string, Promise<string>>();

  constructor(client: SQSClient, options: SqsShardQueueOptions = {}) {
    this.#client = client;
    this.#queueName = options.queueName ?? shardQueueName;
    this.#deadLetterQueue = options.deadLetterQueue ?? QUEUES.shardDeadLetters;
    this.#lastPollMs = options.lastPollMs ?? LAST_POLL_MS;
  }

  async send(shard: string, message: ShardMessage, lane: Lane, deduplicationId: string): Promise<void> {
    const group = laneGroup(message, lane);
    await this.#run('SendMessage', async () =>
      this.#client.send(
        new SendMessageCommand({
          QueueUrl: await this.#url(shard),
          MessageBody: JSON.stringify(message),
          MessageGroupId: group,
          MessageDeduplicationId: deduplicationKey(group, deduplicationId),
        }),
      ),
    );
  }

  async receive(shard: string, signal: AbortSignal): Promise<readonly ReceivedShardMessage[]> {
    if (signal.aborted) return [];
    const messages = await this.#poll(shard, signal);
    if (signal.aborted) {
      await Promise.all(messages.map((message) => this.postpone(shard, message.ReceiptHandle ?? '', 0)));
      return [];
    }
    const read = messages.map((message) => ({ message, received: receivedMessage(message) }));
    const unreadable = read.filter(({ received }) => received === undefined);
    await Promise.all(unreadable.map(({ message }) => this.#bury(shard, message, 'unreadable')));
    return read.flatMap(({ received }) => received ?? []);
  }

  async depth(shard: string): Promise<number> {
    try {
      const { Attributes } = await this.#client.send(
        new GetQueueAttributesCommand({ QueueUrl: await this.#url(shard), AttributeNames: [...COUNTS] }),
      );
      return COUNTS.reduce((sum, name) => sum + Number(Attributes?.[name] ?? 0), 0);
    } catch (error) {
      throw dependencyError('SQS GetQueueAttributes', error);
    }
  }

  async done(shard: string, receipt: string): Promise<void> {
    await this.#run('DeleteMessage', async () =>
      this.#client.send(new DeleteMessageCommand({ QueueUrl: await this.#url(shard), ReceiptHandle: receipt })),
    );
  }

  async postpone(shard: string, receipt: string, seconds: number): Promise<void> {
    await this.#run('ChangeMessageVisibility', async () =>
      this.#client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: await this.#url(shard),
          ReceiptHandle: receipt,
          VisibilityTimeout: Math.ceil(seconds),
        }),
      ),
    );
  }

  async bury(shard: string, message: ReceivedShardMessage, reason: string): Promise<void> {
    const { messageId, receipt, body } = message;
    await this.#bury(
      shard,
      { MessageId: messageId, ReceiptHandle: receipt, Body: JSON.stringify(body) },
      reason,
      body.session,
    );
  }

  /**
   * SQS may have given a message to a poll that is no longer wanted; cutting the connection at once would hide that
   * message until its visibility timeout.
   */
  async #poll(shard: string, signal: AbortSignal): Promise<readonly Message[]> {
    const cut = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const lastPoll = () => {
      timer = setTimeout(() => cut.abort(), this.#lastPollMs);
    };
    signal.addEventListener('abort', lastPoll, { once: true });
    try {
      const QueueUrl = await this.#url(shard);
      if (signal.aborted) return [];
      const answer = await this.#client.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: BATCH,
          WaitTimeSeconds: LONG_POLL_SECONDS,
          MessageSystemAttributeNames: ['ApproximateReceiveCount', 'MessageGroupId'],
        }),
        { abortSignal: cut.signal },
      );
      return answer.Messages ?? [];
    } catch (error) {
      if (signal.aborted) return [];
      throw dependencyError('SQS ReceiveMessage', error);
    } finally {
      signal.removeEventListener('abort', lastPoll);
      clearTimeout(timer);
    }
  }

  async #bury(shard: string, message: Message, reason: string, group?: string): Promise<void> {
    const text = (value: string) => ({ DataType: 'String', StringValue: value });
    await this.#run('SendMessage', async () =>
      this.#client.send(
        new SendMessageCommand({
          QueueUrl: await this.#queueUrl(this.#deadLetterQueue),
          MessageBody: message.Body ?? '',
          MessageGroupId: group ?? message.Attributes?.MessageGroupId ?? shard,
          MessageDeduplicationId: message.MessageId ?? '',
          MessageAttributes: { reason: text(reason.slice(0, REASON_LENGTH) || 'unknown'), shard: text(shard) },
        }),
      ),
    );
    await this.done(shard, message.ReceiptHandle ?? '');
  }

  async #url(shard: string): Promise<string> {
    return await this.#queueUrl(this.#queueName(shard));
  }

  async #queueUrl(name: string): Promise<string> {
    const known = this.#urls.get(name);
    if (known !== undefined) return await known;
    const lookup = this.#client
      .send(new GetQueueUrlCommand({ QueueName: name }))
      .then(({ QueueUrl }) => QueueUrl ?? '');
    this.#urls.set(name, lookup);
    try {
      return await lookup;
    } catch (error) {
      this.#urls.delete(name);
      throw error;
    }
  }

  async #run(operation: string, send: () => Promise<unknown>): Promise<void> {
    try {
      await send();
    } catch (error) {
      throw dependencyError(`SQS ${operation}`, error);
    }
  }
}

function receivedMessage(message: Message): ReceivedShardMessage | undefined {
  const body = shardMessageSchema.safeParse(parsedJson(message.Body));
  if (!body.success) return undefined;
  return {
    body: body.data,
    receipt: message.ReceiptHandle ?? '',
    messageId: message.MessageId ?? '',
    receiveCount: Number(message.Attributes?.ApproximateReceiveCount ?? 1),
  };
}
