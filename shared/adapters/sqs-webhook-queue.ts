import { createHash } from 'node:crypto';
import {
  ChangeMessageVisibilityCommand,
  GetQueueUrlCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { QUEUES } from '../contracts/resources.ts';
import type { WebhookTimer } from '../contracts/webhook-rows.ts';
import { DependencyError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { HeldWakes, WebhookQueue } from '../ports/webhook-queue.ts';
import { dependencyError } from './aws-errors.ts';
import { systemClock } from './system-clock.ts';

const BATCH = 10;
/** SQS delays no message longer. */
const LONGEST_DELAY_SECONDS = 900;

export interface SqsWebhookQueueOptions {
  readonly queues?: { readonly webhooks: string; readonly webhookEndpoints: string };
  readonly clock?: Pick<Clock, 'now'>;
}

/** Wake-ups on a FIFO queue, group = endpoint; timers as delayed messages on the fan-out's queue, which renews long ones. */
export class SqsWebhookQueue implements WebhookQueue, HeldWakes {
  readonly #client: SQSClient;
  readonly #queues: { readonly webhooks: string; readonly webhookEndpoints: string };
  readonly #clock: Pick<Clock, 'now'>;
  readonly #urls = new Map<string, string>();

  constructor(client: SQSClient, { queues = QUEUES, clock = systemClock }: SqsWebhookQueueOptions = {}) {
    this.#client = client;
    this.#queues = queues;
    this.#clock = clock;
  }

  async wake(wakes: Parameters<WebhookQueue['wake']>[0]): Promise<void> {
    const entries = wakes.map(({ wake, cause }, index) => {
      const group = `${wake.session}.${wake.endpointId}`;
      return {
        Id: String(index),
        MessageBody: JSON.stringify(wake),
        MessageGroupId: group,
        MessageDeduplicationId: createHash('sha256').update(`${group}\0${cause}`).digest('hex'),
      };
    });
    for (let from = 0; from < entries.length; from += BATCH) {
      const Entries = entries.slice(from, from + BATCH);
      await this.#run('SendMessageBatch', async () => {
        const QueueUrl = await this.#url(this.#queues.webhookEndpoints);
        const { Failed = [] } = await this.#client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
        if (Failed.length > 0) throw new DependencyError('SQS did not take all wake-ups of webhooks');
      });
    }
  }

  async wakeAt(timer: WebhookTimer): Promise<void> {
    const seconds = Math.ceil(Math.max(0, timer.dueAt - this.#clock.now()) / 1000);
    await this.#run('SendMessage', async () =>
      this.#client.send(
        new SendMessageCommand({
          QueueUrl: await this.#url(this.#queues.webhooks),
          MessageBody: JSON.stringify({ timer }),
          DelaySeconds: Math.min(seconds, LONGEST_DELAY_SECONDS),
        }),
      ),
    );
  }

  async hold(receipt: string, seconds: number): Promise<void> {
    await this.#run('ChangeMessageVisibility', async () =>
      this.#client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: await this.#url(this.#queues.webhookEndpoints),
          ReceiptHandle: receipt,
          VisibilityTimeout: seconds,
        }),
      ),
    );
  }

  async #url(name: string): Promise<string> {
    const known = this.#urls.get(name);
    if (known !== undefined) return known;
    const { QueueUrl = '' } = await this.#client.send(new GetQueueUrlCommand({ QueueName: name }));
    this.#urls.set(name, QueueUrl);
    return QueueUrl;
  }

  async #run(operation: string, send: () => Promise<unknown>): Promise<void> {
    try {
      await send();
    } catch (error) {
      if (error instanceof DependencyError) throw error;
      throw dependencyError(`SQS ${operation}`, error);
    }
  }
}
