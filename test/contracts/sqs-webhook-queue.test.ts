import { CreateQueueCommand, GetQueueUrlCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SqsWebhookQueue } from '#shared/adapters/sqs-webhook-queue.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import { type AwsBacking, startAwsBacking } from './aws-backing.ts';

describe('SQS: the queues of webhooks', () => {
  let aws: AwsBacking;
  let webhookEndpoints: string;
  let webhooks: string;
  let queue: SqsWebhookQueue;
  beforeAll(async () => {
    aws = await startAwsBacking();
  });
  afterAll(() => aws?.close());
  beforeEach(async () => {
    webhookEndpoints = await aws.createFifoQueue();
    webhooks = webhookEndpoints.replace('.fifo', '-timers');
    await aws.clients.sqs.send(new CreateQueueCommand({ QueueName: webhooks }));
    queue = new SqsWebhookQueue(aws.clients.sqs, {
      queues: { webhooks, webhookEndpoints },
      clock: { now: () => 1_000 },
    });
  });

  const wake = (endpointId: string, cause = 'evt_1') => ({ wake: { session: 'alpha', endpointId }, cause });
  const receive = async (QueueName: string) => {
    const { QueueUrl } = await aws.clients.sqs.send(new GetQueueUrlCommand({ QueueName }));
    const { Messages = [] } = await aws.clients.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 1,
        MessageSystemAttributeNames: ['All'],
      }),
    );
    return Messages.map(({ Body = '', Attributes = {}, ReceiptHandle = '' }) => ({
      body: JSON.parse(Body),
      group: Attributes.MessageGroupId,
      receipt: ReceiptHandle,
    }));
  };

  it('give a wake-up to each of many endpoints, and one of an endpoint at a time', async () => {
    const ids = Array.from({ length: 12 }, (_, index) => `wh_${index}`);
    await queue.wake([...ids.map((id) => wake(id)), wake('wh_0', 'evt_2')]);
    const got = [...(await receive(webhookEndpoints)), ...(await receive(webhookEndpoints))];
    const woken = got.map(({ body }) => body.endpointId).toSorted();
    // Both of wh_0 may come in one batch, but not one in each of two.
    expect(woken.filter((id, index) => woken.indexOf(id) === index)).toEqual(ids.toSorted());
    expect(new Set(got.map(({ group }) => group)).size).toBe(12);
    expect(await receive(webhookEndpoints)).toEqual([]);
  });

  it('take two wake-ups with one cause for one', async () => {
    await queue.wake([wake('wh_1')]);
    await queue.wake([wake('wh_1'), wake('wh_2')]);
    expect((await receive(webhookEndpoints)).map(({ body }) => body.endpointId).toSorted()).toEqual(['wh_1', 'wh_2']);
  });

  it('give a wake-up again when it is held no longer, and not before', async () => {
    await queue.wake([wake('wh_1')]);
    const [{ receipt } = { receipt: '' }] = await receive(webhookEndpoints);
    expect(await receive(webhookEndpoints)).toEqual([]);
    await queue.hold(receipt, 0);
    expect((await receive(webhookEndpoints)).map(({ body }) => body.endpointId)).toEqual(['wh_1']);
  });

  it('keep a timer back until its time', async () => {
    const timer = (dueAt: number) => ({ session: 'alpha', endpointId: 'wh_1', dueAt });
    await queue.wakeAt(timer(9e15));
    await queue.wakeAt(timer(60_000));
    await queue.wakeAt(timer(500));
    expect((await receive(webhooks)).map(({ body }) => body)).toEqual([{ timer: timer(500) }]);
  });

  it('say when they do not take something', async () => {
    const lost = new SqsWebhookQueue(aws.clients.sqs, { queues: { webhooks: 'none', webhookEndpoints: 'none.fifo' } });
    await expect(lost.wake([wake('wh_1')])).rejects.toBeInstanceOf(DependencyError);
    await expect(lost.hold('none', 1)).rejects.toBeInstanceOf(DependencyError);
    await expect(lost.wakeAt({ session: 'alpha', endpointId: 'wh_1', dueAt: 0 })).rejects.toBeInstanceOf(
      DependencyError,
    );
  });
});
