import {
  GetQueueUrlCommand,
  type MessageAttributeValue,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { nameInArn } from '../aws-identity.ts';
import { DeliveryError } from './delivery-dispatcher.ts';

export interface QueueMessage {
  readonly body: string;
  readonly groupId?: string | undefined;
  readonly deduplicationId?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

interface Waiting {
  readonly message: QueueMessage;
  readonly resolve: () => void;
  readonly reject: (error: DeliveryError) => void;
}

const BATCH_ENTRIES = 10;
const BATCH_BYTES = 1024 * 1024;

/**
 * Sends to one queue. What arrives while requests are under way leaves together in the next ones, so a burst costs a
 * tenth of the requests and a single message waits for nothing.
 */
export class QueueSender {
  readonly #client: SQSClient;
  readonly #name: string;
  readonly #concurrency: number;
  #url: string | undefined;
  #waiting: Waiting[] = [];
  #running = 0;

  constructor(client: SQSClient, queueArn: string) {
    this.#client = client;
    this.#name = nameInArn(queueArn);
    // Two batches under way to a FIFO queue could overtake each other.
    this.#concurrency = this.#name.endsWith('.fifo') ? 1 : 4;
  }

  /** Resolves when the queue has the message. Throws a DeliveryError. */
  send(message: QueueMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, resolve, reject });
      if (this.#waiting.length === 1) queueMicrotask(() => this.#pump());
    });
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#running < this.#concurrency) {
      this.#running++;
      void this.#sendBatch(this.#nextBatch()).finally(() => {
        this.#running--;
        this.#pump();
      });
    }
  }

  #nextBatch(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { message } of this.#waiting.slice(0, BATCH_ENTRIES)) {
      bytes += Buffer.byteLength(message.body) + Buffer.byteLength(JSON.stringify(message.attributes ?? {}));
      if (count > 0 && bytes > BATCH_BYTES) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #sendBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      this.#url ??= (await this.#client.send(new GetQueueUrlCommand({ QueueName: this.#name }))).QueueUrl;
      const Entries = batch.map(({ message }, index) => batchEntry(message, String(index)));
      const { Failed = [] } = await this.#client.send(new SendMessageBatchCommand({ QueueUrl: this.#url, Entries }));
      const failures = new Map(Failed.map((failure) => [failure.Id, failure]));
      batch.forEach(({ resolve, reject }, index) => {
        const failure = failures.get(String(index));
        if (failure === undefined) resolve();
        else
          reject(new DeliveryError('INVALID_PARAMETER', failure.Message ?? failure.Code ?? '', !failure.SenderFault));
      });
    } catch (cause) {
      this.#url = undefined;
      const error = deliveryError(cause, this.#name);
      for (const { reject } of batch) reject(error);
    }
  }
}

function batchEntry(message: QueueMessage, Id: string): SendMessageBatchRequestEntry {
  const attributes = Object.entries(message.attributes ?? {}).map(([name, value]): [string, MessageAttributeValue] => [
    name,
    { DataType: 'String', StringValue: value },
  ]);
  return {
    Id,
    MessageBody: escaped(message.body),
    ...(message.groupId === undefined ? {} : { MessageGroupId: message.groupId }),
    ...(message.deduplicationId === undefined ? {} : { MessageDeduplicationId: message.deduplicationId }),
    ...(attributes.length === 0 ? {} : { MessageAttributes: Object.fromEntries(attributes) }),
  };
}

/**
 * The same JSON, with what the local queues refuse escaped: they take characters beyond U+FFFF, emoji above all, for
 * broken ones. In JSON such characters can only stand in strings.
 */
function escaped(json: string): string {
  return json.replace(/[\ud800-\udfff\ufffe\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
}

function deliveryError(cause: unknown, queue: string): DeliveryError {
  const name = cause instanceof Error ? cause.name : '';
  if (name.includes('QueueDoesNotExist') || name.includes('NonExistentQueue')) {
    return new DeliveryError('NO_RESOURCE', `The queue ${queue} does not exist.`, false);
  }
  if (name.startsWith('Invalid')) return new DeliveryError('INVALID_PARAMETER', String(cause), false);
  return new DeliveryError('CONNECTION_FAILURE', String(cause), true);
}
