import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { streamDeadLetters, webhookDeadLetters } from '#shared/adapters/sqs-dead-letters.ts';
import { SqsStreamQueue } from '#shared/adapters/sqs-stream-queue.ts';
import { SqsWebhookQueue } from '#shared/adapters/sqs-webhook-queue.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import type { DeadLetters } from '#shared/ports/dead-letters.ts';
import { type AwsBacking, startAwsBacking } from './aws-backing.ts';

const EVENT = { 'detail-type': 'message', detail: { id: 'evt_1', session: 'alpha', payload: { body: 'hello' } } };
const TIMER = { timer: { session: 'alpha', endpointId: 'wh_1', dueAt: 5 } };

let aws: AwsBacking;
beforeAll(async () => {
  aws = await startAwsBacking();
});
afterAll(() => aws?.close());

const always = () => true;
const none = { count: 0, failure: undefined };
const urlOf = async (QueueName: string) => (await aws.clients.sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl;
const bury = async (queue: string, body: unknown, group?: string) =>
  aws.clients.sqs.send(
    new SendMessageCommand({
      QueueUrl: await urlOf(queue),
      MessageBody: typeof body === 'string' ? body : JSON.stringify(body),
      ...(group !== undefined && { MessageGroupId: group, MessageDeduplicationId: JSON.stringify(body) }),
    }),
  );
/** Takes all that is visible. */
const taken = async (queue: string) => {
  const QueueUrl = await urlOf(queue);
  const bodies: unknown[] = [];
  for (;;) {
    const { Messages = [] } = await aws.clients.sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
    );
    if (Messages.length === 0) return bodies;
    for (const { Body = '', ReceiptHandle } of Messages) {
      bodies.push(JSON.parse(Body));
      await aws.clients.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }
};
/** A queue of events and one of work, each with its dead letters. */
const createQueues = async () => {
  const [work, workDead] = await Promise.all([aws.createFifoQueue(), aws.createFifoQueue()]);
  const events = work.replace('.fifo', '-events');
  const eventsDead = `${events}-dead`;
  for (const QueueName of [events, eventsDead]) await aws.clients.sqs.send(new CreateQueueCommand({ QueueName }));
  return { work, workDead, events, eventsDead };
};

describe('SQS: dead letters of streams', () => {
  let queues: Readonly<Record<'streams' | 'streamsDeadLetters' | 'streamTasks' | 'streamTasksDeadLetters', string>>;
  let letters: DeadLetters;
  beforeEach(async () => {
    const { work, workDead, events, eventsDead } = await createQueues();
    queues = {
      streams: events,
      streamsDeadLetters: eventsDead,
      streamTasks: work,
      streamTasksDeadLetters: workDead,
    };
    letters = streamDeadLetters(aws.clients.sqs, new SqsStreamQueue(aws.clients.sqs, queues), queues);
  });

  it('are tasks again, and events and timers as they were', async () => {
    const tasks = [
      { kind: 'session', connectionId: 'c1', session: 'alpha', seq: 7 },
      { kind: 'opened', connectionId: 'c2' },
    ];
    for (const task of tasks) await bury(queues.streamTasksDeadLetters, task, task.connectionId);
    const event = { id: '1', detail: { session: 'alpha', seq: 3 }, 'detail-type': 'message' };
    const timer = { timer: { kind: 'heartbeat', connectionId: 'c1', at: 5 } };
    for (const message of [event, timer]) await bury(queues.streamsDeadLetters, message);
    expect(await letters.bringBack(always)).toEqual({ count: 4, failure: undefined });
    expect(await taken(queues.streamTasks)).toEqual(expect.arrayContaining(tasks));
    expect(await taken(queues.streams)).toEqual(expect.arrayContaining([event, timer]));
    expect(await letters.bringBack(always)).toEqual(none);
  });

  it('stay where they are when nobody can read them', async () => {
    await bury(queues.streamsDeadLetters, { detail: {} });
    await bury(queues.streamTasksDeadLetters, { kind: 'unknown', connectionId: 'c1' }, 'c1');
    expect(await letters.bringBack(always)).toEqual(none);
    expect([...(await taken(queues.streams)), ...(await taken(queues.streamTasks))]).toEqual([]);
  });
});

describe('SQS: dead letters of webhooks', () => {
  let queues: Readonly<
    Record<'webhooks' | 'webhooksDeadLetters' | 'webhookEndpoints' | 'webhookEndpointsDeadLetters', string>
  >;
  let letters: DeadLetters;
  beforeEach(async () => {
    const { work, workDead, events, eventsDead } = await createQueues();
    queues = {
      webhooks: events,
      webhooksDeadLetters: eventsDead,
      webhookEndpoints: work,
      webhookEndpointsDeadLetters: workDead,
    };
    letters = webhookDeadLetters(aws.clients.sqs, new SqsWebhookQueue(aws.clients.sqs, { queues }), queues);
  });

  it('are wake-ups again, of endpoints with all that waits there, though nothing new happens', async () => {
    const wakes = Array.from({ length: 23 }, (_, index) => ({ session: 'alpha', endpointId: `wh_${index}` }));
    const events = wakes.map((wake) => ({ ...wake, event: { id: 'evt_1', seq: 1 } }));
    for (const wake of events) await bury(queues.webhookEndpointsDeadLetters, wake, wake.endpointId);
    expect(await letters.bringBack(always)).toEqual({ count: 23, failure: undefined });
    const brought = await taken(queues.webhookEndpoints);
    expect(brought).toHaveLength(46);
    expect(brought).toEqual(expect.arrayContaining([...events, ...wakes]));
    expect(await letters.bringBack(always)).toEqual(none);
  });

  it('are events and timers again, as they were', async () => {
    await bury(queues.webhooksDeadLetters, EVENT);
    await bury(queues.webhooksDeadLetters, TIMER);
    expect(await letters.bringBack(always)).toEqual({ count: 2, failure: undefined });
    const brought = await taken(queues.webhooks);
    expect(brought).toHaveLength(2);
    expect(brought).toEqual(expect.arrayContaining([EVENT, TIMER]));
    expect(await letters.bringBack(always)).toEqual(none);
  });

  it('stay where they are when nobody can read them', async () => {
    await bury(queues.webhooksDeadLetters, '{');
    await bury(queues.webhookEndpointsDeadLetters, { session: 'alpha' }, 'alpha');
    await bury(queues.webhookEndpointsDeadLetters, { session: 'alpha', endpointId: 'wh_1' }, 'beta');
    expect(await letters.bringBack(always)).toEqual({ count: 1, failure: undefined });
    expect(await taken(queues.webhooks)).toEqual([]);
    expect(await taken(queues.webhookEndpoints)).toEqual([{ session: 'alpha', endpointId: 'wh_1' }]);
  });

  it('stay, and are for the next time, when there is no time', async () => {
    for (let letter = 0; letter < 95; letter += 1) await bury(queues.webhooksDeadLetters, { ...EVENT, letter });
    expect(await letters.bringBack(() => false)).toEqual(none);
    let asked = 0;
    const first = await letters.bringBack(() => {
      asked += 1;
      return asked <= 4;
    });
    expect(first.count).toBeGreaterThan(0);
    expect(first.count).toBeLessThanOrEqual(30);
    const second = await letters.bringBack(always);
    expect(first.count + second.count).toBe(95);
    expect(await taken(queues.webhooks)).toHaveLength(95);
  });

  it('are looked at a few batches at a time', async () => {
    for (let letter = 0; letter < 95; letter += 1) await bury(queues.webhooksDeadLetters, { ...EVENT, letter });
    const send = aws.clients.sqs.send.bind(aws.clients.sqs);
    let most = 0;
    const underWay = new Set<object>();
    const spy = vi.spyOn(aws.clients.sqs, 'send').mockImplementation(async (command: object) => {
      if (!(command instanceof SendMessageCommand)) return await Reflect.apply(send, undefined, [command]);
      underWay.add(command);
      most = Math.max(most, underWay.size);
      try {
        return await send(command);
      } finally {
        underWay.delete(command);
      }
    });
    expect(await letters.bringBack(always)).toEqual({ count: 95, failure: undefined });
    spy.mockRestore();
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(40);
  });

  it('stay when their queue is away', async () => {
    await bury(queues.webhooksDeadLetters, TIMER);
    const { sqs } = aws.clients;
    const lost = webhookDeadLetters(sqs, new SqsWebhookQueue(sqs, { queues }), { ...queues, webhooks: 'none' });
    await bury(queues.webhookEndpointsDeadLetters, { session: 'alpha', endpointId: 'wh_1' }, 'alpha');
    expect(await lost.bringBack(always)).toEqual({ count: 1, failure: expect.any(DependencyError) });
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: await urlOf(queues.webhooksDeadLetters),
        AttributeNames: ['ApproximateNumberOfMessagesNotVisible'],
      }),
    );
    expect(Attributes).toEqual({ ApproximateNumberOfMessagesNotVisible: '1' });
  });
});
