import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { type EventEnvelope, eventEnvelopeSchema } from '#shared/contracts/events.ts';
import { BUS, EVENT_SOURCE } from '#shared/contracts/resources.ts';
import { BENCH_USER_AGENT } from './aws-call-counter.ts';

const entrySchema = z.object({ detail: eventEnvelopeSchema });

/** An event at the rule's target. Both times are milliseconds since 1970. */
export interface ArrivedEvent {
  readonly envelope: EventEnvelope;
  /** When the queue took it. */
  readonly queuedAt: number;
  /** When a consumer that polls the queue had it. */
  readonly receivedAt: number;
}

/** A queue of a user's own behind a rule of their own, read all the time. */
export class RuleQueue {
  readonly #sqs: SQSClient;
  readonly #stopping = new AbortController();
  readonly #listeners = new Set<(event: ArrivedEvent) => void>();
  #reading: Promise<void> = Promise.resolve();

  private constructor(sqs: SQSClient) {
    this.#sqs = sqs;
  }

  /** @param env of the local cloud; @param detailTypes which events the rule lets through */
  static async create(
    env: Readonly<Record<string, string>>,
    name: string,
    detailTypes: readonly string[],
  ): Promise<RuleQueue> {
    const account = { region: env.AWS_REGION ?? '', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
    const sqs = new SQSClient({
      ...account,
      endpoint: env.AWS_ENDPOINT_URL_SQS ?? '',
      useQueueUrlAsEndpoint: false,
      customUserAgent: BENCH_USER_AGENT,
    });
    const eventBridge = new EventBridgeClient({ ...account, endpoint: env.AWS_ENDPOINT_URL_EVENTBRIDGE ?? '' });
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
    const EventPattern = JSON.stringify({ source: [EVENT_SOURCE], 'detail-type': detailTypes });
    await eventBridge.send(new PutRuleCommand({ Name: name, EventBusName: BUS, EventPattern }));
    const Targets = [{ Id: 'queue', Arn: Attributes?.QueueArn ?? '' }];
    await eventBridge.send(new PutTargetsCommand({ Rule: name, EventBusName: BUS, Targets }));
    eventBridge.destroy();
    const queue = new RuleQueue(sqs);
    queue.#reading = queue.#read(QueueUrl);
    // Whoever stops it hears of a failure.
    queue.#reading.catch(() => {});
    return queue;
  }

  /** Resolves when `wanted` has said yes to `count` events from now on. @throws Error when that takes too long */
  collect(
    count: number,
    wanted: (event: EventEnvelope) => boolean,
    timeoutMs: number,
  ): Promise<readonly ArrivedEvent[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly ArrivedEvent[]>();
    const found: ArrivedEvent[] = [];
    const stopListening = this.listen((event) => {
      if (wanted(event.envelope)) found.push(event);
      if (found.length >= count) resolve(found);
    });
    const timer = setTimeout(() => {
      reject(new Error(`Only ${found.length} of ${count} events arrived at the rule's target.`));
    }, timeoutMs);
    return promise.finally(() => {
      clearTimeout(timer);
      stopListening();
    });
  }

  /** Tells of every event from now on. @returns ends it */
  listen(listener: (event: ArrivedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#reading;
    this.#sqs.destroy();
  }

  async #read(QueueUrl: string): Promise<void> {
    const { signal } = this.#stopping;
    const receive = new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 20,
      MessageSystemAttributeNames: ['SentTimestamp'],
    });
    while (!signal.aborted) {
      try {
        const { Messages = [] } = await this.#sqs.send(receive, { abortSignal: signal });
        const receivedAt = Date.now();
        for (const message of Messages) this.#tell(message, receivedAt);
        if (Messages.length === 0) continue;
        const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
        await this.#sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }), { abortSignal: signal });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  #tell({ Body, Attributes }: Message, receivedAt: number): void {
    const envelope = entrySchema.parse(JSON.parse(Body ?? '')).detail;
    const event = { envelope, queuedAt: Number(Attributes?.SentTimestamp), receivedAt };
    for (const listener of this.#listeners) listener(event);
  }
}
