import { GetQueueUrlCommand, SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { StreamTask } from '../contracts/event-stream.ts';
import { QUEUES } from '../contracts/resources.ts';
import { DependencyError } from '../domain/errors.ts';
import type { StreamQueue } from '../ports/event-stream.ts';
import { dependencyError } from './aws-errors.ts';
import { deduplicationKey } from './shard-lanes.ts';

const BATCH = 10;

type QueueNames = Pick<typeof QUEUES, 'streams' | 'streamTasks'>;

/** Tasks are in a FIFO queue, group = connection. Those for later are messages with a delay on the queue of events. */
export class SqsStreamQueue implements StreamQueue {
  readonly #client: SQSClient;
  readonly #names: QueueNames;
  readonly #urls = new Map<string, string>();

  constructor(client: SQSClient, names: QueueNames = QUEUES) {
    this.#client = client;
    this.#names = names;
  }

  async send(tasks: readonly { readonly task: StreamTask; readonly cause: string }[]): Promise<void> {
    const entries = tasks.map(({ task, cause }, index) => ({
      Id: String(index),
      MessageBody: JSON.stringify(task),
      MessageGroupId: task.connectionId,
      MessageDeduplicationId: deduplicationKey(task.connectionId, cause),
    }));
    for (let start = 0; start < entries.length; start += BATCH) {
      const Entries = entries.slice(start, start + BATCH);
      await this.#run('SendMessageBatch', async () => {
        const QueueUrl = await this.#url(this.#names.streamTasks);
        const { Failed = [] } = await this.#client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
        const [first] = Failed;
        if (first !== undefined)
          throw new DependencyError(`The queue refuses a task: ${first.Code ?? 'unknown error'}`);
      });
    }
  }

  async sendLater(task: StreamTask, seconds: number): Promise<void> {
    await this.#run('SendMessage', async () => {
      const QueueUrl = await this.#url(this.#names.streams);
      const MessageBody = JSON.stringify({ timer: task });
      await this.#client.send(new SendMessageCommand({ QueueUrl, MessageBody, DelaySeconds: Math.ceil(seconds) }));
    });
  }

  async #url(QueueName: string): Promise<string> {
    const known = this.#urls.get(QueueName);
    if (known !== undefined) return known;
    const { QueueUrl = '' } = await this.#client.send(new GetQueueUrlCommand({ QueueName }));
    this.#urls.set(QueueName, QueueUrl);
    return QueueUrl;
  }

  async #run(operation: string, send: () => Promise<void>): Promise<void> {
    try {
      await send();
    } catch (error) {
      throw error instanceof DependencyError ? error : dependencyError(`SQS ${operation}`, error);
    }
  }
}
