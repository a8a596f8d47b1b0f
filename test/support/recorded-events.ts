import { DeleteMessageBatchCommand, GetQueueUrlCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import * as z from 'zod';
import { until } from '#localstack/demo/until.ts';
import type { LocalCloud } from '#localstack/embedded/local-cloud.ts';
import { createResources } from '#localstack/embedded/resource-creation.ts';
import type { Platform } from '#localstack/start/platform.ts';
import { type EventEnvelope, type EventName, eventEnvelopeSchema } from '#shared/contracts/events.ts';
import { EVENT_SOURCE } from '#shared/contracts/resources.ts';
import { schemaErrors } from '../contracts/published-schemas.ts';

const busEntrySchema = z.object({ 'detail-type': z.string(), detail: z.looseObject({}) });

export type EventOf<N extends EventName> = Extract<EventEnvelope, { event: N }> | (EventEnvelope & { event: N });

/** Every event of the bus, through a rule with an SQS queue as its target. */
export class RecordedEvents {
  readonly #clients: LocalCloud['clients'];
  readonly #queueUrl: string;
  readonly #seen: EventEnvelope[] = [];

  private constructor(clients: LocalCloud['clients'], queueUrl: string) {
    this.#clients = clients;
    this.#queueUrl = queueUrl;
  }

  static async start({ cloud, names }: Pick<Platform, 'cloud' | 'names'>, suffix: string): Promise<RecordedEvents> {
    const { clients } = cloud;
    const name = `${names.prefix}-${suffix}`;
    await createResources(clients, {
      tables: [],
      buckets: [],
      eventSources: [],
      schedules: [],
      bus: { name: names.bus },
      queues: [{ name, fifo: false, visibilityTimeoutSeconds: 30 }],
      rules: [{ name, pattern: { source: [EVENT_SOURCE] }, targets: [{ id: 'queue', queue: name }] }],
    });
    const { QueueUrl = '' } = await clients.sqs.send(new GetQueueUrlCommand({ QueueName: name }));
    return new RecordedEvents(clients, QueueUrl);
  }

  /** All that has arrived, in the order of arrival; `next` makes it grow. */
  get seen(): readonly EventEnvelope[] {
    return this.#seen;
  }

  of(session: string, event?: EventName): readonly EventEnvelope[] {
    return this.#seen.filter((entry) => entry.session === session && (event === undefined || entry.event === event));
  }

  /** The first event with this name, from the beginning, for which `wanted` holds. */
  async next<N extends EventName>(event: N, wanted: (envelope: EventOf<N>) => boolean): Promise<EventOf<N>> {
    return await until(`an event ${event}`, async () => {
      const found = this.#seen.find(
        // The name decides the payload's type.
        (entry): entry is EventOf<N> => entry.event === event && wanted(entry as EventOf<N>),
      );
      if (found === undefined) await this.#receive(1);
      return found;
    });
  }

  /** Takes what the queue has now. */
  async drain(): Promise<void> {
    while ((await this.#receive(0)) > 0);
  }

  async #receive(waitSeconds: number): Promise<number> {
    const QueueUrl = this.#queueUrl;
    const { Messages = [] } = await this.#clients.sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: waitSeconds }),
    );
    if (Messages.length === 0) return 0;
    for (const { Body } of Messages) {
      const { 'detail-type': detailType, detail } = busEntrySchema.parse(JSON.parse(Body ?? ''));
      expect(schemaErrors(detailType, detail)).toEqual([]);
      this.#seen.push(eventEnvelopeSchema.parse(detail));
    }
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await this.#clients.sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    return Messages.length;
  }
}
