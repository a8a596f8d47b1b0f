import {
  DeleteMessageCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { QUEUES } from '../contracts/resources.ts';
import { webhookMessageSchema, webhookWakeSchema } from '../contracts/webhook-rows.ts';
import { DependencyError } from '../domain/errors.ts';
import type { WebhookDeadLetters } from '../ports/webhook-dead-letters.ts';
import type { WebhookQueue } from '../ports/webhook-queue.ts';
import { dependencyError } from './aws-errors.ts';
import { parsedJson } from './parsed-json.ts';

const BATCH = 10;
/** Of each queue in one go. */
const MOST_BATCHES = 200;

type DeadLetterQueues = Pick<typeof QUEUES, 'webhooks' | 'webhooksDeadLetters' | 'webhookEndpointsDeadLetters'>;

export class SqsWebhookDeadLetters implements WebhookDeadLetters {
  readonly #client: SQSClient;
  readonly #wakes: Pick<WebhookQueue, 'wake'>;
  readonly #queues: DeadLetterQueues;

  constructor(client: SQSClient, wakes: Pick<WebhookQueue, 'wake'>, queues: DeadLetterQueues = QUEUES) {
    this.#client = client;
    this.#wakes = wakes;
    this.#queues = queues;
  }

  async bringBack(): Promise<number> {
    try {
      const { webhooksDeadLetters, webhookEndpointsDeadLetters } = this.#queues;
      const wakes = await this.#empty(webhookEndpointsDeadLetters, (letter) => this.#wake(letter));
      return wakes + (await this.#empty(webhooksDeadLetters, (letter) => this.#hand(letter)));
    } catch (error) {
      if (error instanceof DependencyError) throw error;
      throw dependencyError('SQS dead letters of webhooks', error);
    }
  }

  /** @param bring tells whether the letter could be read */
  async #empty(name: string, bring: (letter: Message) => Promise<boolean>): Promise<number> {
    const QueueUrl = await this.#url(name);
    let brought = 0;
    for (let batches = 0; batches < MOST_BATCHES; batches += 1) {
      // What stays is not visible for a while, so this comes to an end.
      const { Messages = [] } = await this.#client.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: BATCH, WaitTimeSeconds: 0 }),
      );
      if (Messages.length === 0) break;
      for (const letter of Messages) {
        if (!(await bring(letter))) continue;
        await this.#client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: letter.ReceiptHandle }));
        brought += 1;
      }
    }
    return brought;
  }

  /** Once more without the event that it was for: what was set aside is looked at, too. With it an endpoint may begin. */
  async #wake({ Body, MessageId = '' }: Message): Promise<boolean> {
    const read = webhookWakeSchema.safeParse(parsedJson(Body));
    if (!read.success) return false;
    const { session, endpointId, event } = read.data;
    const first = event === undefined ? [] : [{ wake: { session, endpointId, event }, cause: `event of ${MessageId}` }];
    await this.#wakes.wake([...first, { wake: { session, endpointId }, cause: `again ${MessageId}` }]);
    return true;
  }

  async #hand({ Body }: Message): Promise<boolean> {
    if (!webhookMessageSchema.safeParse(parsedJson(Body)).success) return false;
    const QueueUrl = await this.#url(this.#queues.webhooks);
    await this.#client.send(new SendMessageCommand({ QueueUrl, MessageBody: Body }));
    return true;
  }

  async #url(name: string): Promise<string> {
    return (await this.#client.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl ?? '';
  }
}
