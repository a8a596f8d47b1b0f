import {
  DeleteMessageCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { streamMessageSchema, streamTaskSchema } from '../contracts/event-stream.ts';
import type { QUEUES } from '../contracts/resources.ts';
import { webhookMessageSchema, webhookWakeSchema } from '../contracts/webhook-rows.ts';
import { DependencyError } from '../domain/errors.ts';
import type { BroughtBack, DeadLetters } from '../ports/dead-letters.ts';
import type { StreamQueue } from '../ports/event-stream.ts';
import type { WebhookQueue } from '../ports/webhook-queue.ts';
import { dependencyError } from './aws-errors.ts';
import { parsedJson } from './parsed-json.ts';

const BATCH = 10;
/** Of each queue in one call. */
const MOST_BATCHES = 200;
/** Batches of one queue. */
const AT_ONCE = 4;

/** A letter as the queue has it. */
interface Letter {
  readonly id: string;
  readonly text: string;
}

/** A queue of dead letters and what becomes of one: it is sent again, or, with false, it cannot be read. */
interface LetterBox {
  readonly queue: string;
  readonly bring: (letter: Letter) => Promise<boolean>;
}

/** @param wakes where wake-ups go */
export function webhookDeadLetters(
  client: SQSClient,
  wakes: Pick<WebhookQueue, 'wake'>,
  queues: Pick<typeof QUEUES, 'webhooks' | 'webhooksDeadLetters' | 'webhookEndpointsDeadLetters'>,
): DeadLetters {
  return new SqsDeadLetters(client, ({ send }) => [
    {
      queue: queues.webhookEndpointsDeadLetters,
      // Once more without the event that it was for: what was set aside is looked at, too. With it an endpoint may begin.
      bring: async ({ id, text }) => {
        const read = webhookWakeSchema.safeParse(parsedJson(text));
        if (!read.success) return false;
        const { session, endpointId, event } = read.data;
        const first = event === undefined ? [] : [{ wake: { session, endpointId, event }, cause: `event of ${id}` }];
        await wakes.wake([...first, { wake: { session, endpointId }, cause: `again ${id}` }]);
        return true;
      },
    },
    {
      queue: queues.webhooksDeadLetters,
      bring: async ({ text }) => {
        if (!webhookMessageSchema.safeParse(parsedJson(text)).success) return false;
        await send(queues.webhooks, text);
        return true;
      },
    },
  ]);
}

/** @param tasks where tasks go */
export function streamDeadLetters(
  client: SQSClient,
  tasks: Pick<StreamQueue, 'send'>,
  queues: Pick<typeof QUEUES, 'streams' | 'streamsDeadLetters' | 'streamTasksDeadLetters'>,
): DeadLetters {
  return new SqsDeadLetters(client, ({ send }) => [
    {
      queue: queues.streamTasksDeadLetters,
      bring: async ({ id, text }) => {
        const read = streamTaskSchema.safeParse(parsedJson(text));
        if (!read.success) return false;
        await tasks.send([{ task: read.data, cause: `again ${id}` }]);
        return true;
      },
    },
    {
      queue: queues.streamsDeadLetters,
      bring: async ({ text }) => {
        if (!streamMessageSchema.safeParse(parsedJson(text)).success) return false;
        await send(queues.streams, text);
        return true;
      },
    },
  ]);
}

class SqsDeadLetters implements DeadLetters {
  readonly #client: SQSClient;
  readonly #boxes: readonly LetterBox[];
  readonly #urls = new Map<string, string>();

  constructor(
    client: SQSClient,
    boxes: (ways: { readonly send: (queue: string, text: string) => Promise<void> }) => readonly LetterBox[],
  ) {
    this.#client = client;
    this.#boxes = boxes({
      send: async (queue, MessageBody) => {
        await client.send(new SendMessageCommand({ QueueUrl: await this.#url(queue), MessageBody }));
      },
    });
  }

  /** One queue does not wait for the other, and what ends one does not end the other. */
  async bringBack(mayGoOn: () => boolean): Promise<BroughtBack> {
    const all = await Promise.all(this.#boxes.map((box) => this.#empty(box, mayGoOn)));
    return {
      count: all.reduce((sum, { count }) => sum + count, 0),
      failure: all.find(({ failure }) => failure !== undefined)?.failure,
    };
  }

  async #empty({ queue, bring }: LetterBox, mayGoOn: () => boolean): Promise<BroughtBack> {
    let count = 0;
    let batches = 0;
    let failure: DependencyError | undefined;
    const caught = (error: unknown) => {
      failure ??= error instanceof DependencyError ? error : dependencyError('SQS dead letters', error);
    };
    const bringAndDelete = async ({ MessageId = '', Body = '', ReceiptHandle }: Message) => {
      try {
        if (!(await bring({ id: MessageId, text: Body }))) return;
        const QueueUrl = await this.#url(queue);
        await this.#client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        count += 1;
      } catch (error) {
        caught(error);
      }
    };
    /** @returns false when there is nothing left that is visible, or no time: what stays is not visible for a while */
    const bringBatch = async () => {
      if (failure !== undefined || batches >= MOST_BATCHES || !mayGoOn()) return false;
      batches += 1;
      const letters = await this.#receive(queue).catch(caught);
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

  async #receive(queue: string): Promise<readonly Message[]> {
    const QueueUrl = await this.#url(queue);
    const { Messages = [] } = await this.#client.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: BATCH, WaitTimeSeconds: 0 }),
    );
    return Messages;
  }

  async #url(name: string): Promise<string> {
    const known = this.#urls.get(name);
    if (known !== undefined) return known;
    const { QueueUrl = '' } = await this.#client.send(new GetQueueUrlCommand({ QueueName: name }));
    this.#urls.set(name, QueueUrl);
    return QueueUrl;
  }
}
