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
import type { BroughtBack, WebhookDeadLetters } from '../ports/webhook-dead-letters.ts';
import type { WebhookQueue } from '../ports/webhook-queue.ts';
import { dependencyError } from './aws-errors.ts';
import { parsedJson } from './parsed-json.ts';

const BATCH = 10;
/** Of each queue in one call. */
const MOST_BATCHES = 200;
/** Batches of one queue. */
const AT_ONCE = 4;

type DeadLetterQueues = Pick<typeof QUEUES, 'webhooks' | 'webhooksDeadLetters' | 'webhookEndpointsDeadLetters'>;

export class SqsWebhookDeadLetters implements WebhookDeadLetters {
  readonly #client: SQSClient;
  readonly #wakes: Pick<WebhookQueue, 'wake'>;
  readonly #queues: DeadLetterQueues;
  readonly #urls = new Map<string, string>();

  constructor(client: SQSClient, wakes: Pick<WebhookQueue, 'wake'>, queues: DeadLetterQueues = QUEUES) {
    this.#client = client;
    this.#wakes = wakes;
    this.#queues = queues;
  }

  /** One queue does not wait for the other, and what ends one does not end the other. */
  async bringBack(mayGoOn: () => boolean): Promise<BroughtBack> {
    const { webhooksDeadLetters, webhookEndpointsDeadLetters } = this.#queues;
    const [wakes, others] = await Promise.all([
      this.#empty(webhookEndpointsDeadLetters, mayGoOn, (letter) => this.#wake(letter)),
      this.#empty(webhooksDeadLetters, mayGoOn, (letter) => this.#hand(letter)),
    ]);
    return { count: wakes.count + others.count, failure: wakes.failure ?? others.failure };
  }

  /** @param bring tells whether the letter could be read */
  async #empty(
    name: string,
    mayGoOn: () => boolean,
    bring: (letter: Message) => Promise<boolean>,
  ): Promise<BroughtBack> {
    let count = 0;
    let batches = 0;
    let failure: DependencyError | undefined;
    const caught = (error: unknown) => {
      failure ??= error instanceof DependencyError ? error : dependencyError('SQS dead letters of webhooks', error);
    };
    const bringAndDelete = async (letter: Message) => {
      try {
        if (!(await bring(letter))) return;
        const QueueUrl = await this.#url(name);
        await this.#client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: letter.ReceiptHandle }));
        count += 1;
      } catch (error) {
        caught(error);
      }
    };
    /** @returns false when there is nothing left that is visible, or no time: what stays is not visible for a while */
    const bringBatch = async () => {
      if (failure !== undefined || batches >= MOST_BATCHES || !mayGoOn()) return false;
      batches += 1;
      const letters = await this.#receive(name).catch(caught);
      await Promise.all((letters ?? []).map(bringAndDelete));
      return (letters ?? []).length > 0;
    };
    // Most often there is nothing: then one look is enough.
    if (!(await bringBatch())) return { count, failure };
    const bringAll = async () => {
      while (await bringBatch());
    };
    await Promise.all(Array.from({ length: AT_ONCE }, bringAll));
    return { count, failure };
  }

  async #receive(name: string): Promise<readonly Message[]> {
    const QueueUrl = await this.#url(name);
    const { Messages = [] } = await this.#client.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: BATCH, WaitTimeSeconds: 0 }),
    );
    return Messages;
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
    const known = this.#urls.get(name);
    if (known !== undefined) return known;
    const { QueueUrl = '' } = await this.#client.send(new GetQueueUrlCommand({ QueueName: name }));
    this.#urls.set(name, QueueUrl);
    return QueueUrl;
  }
}
