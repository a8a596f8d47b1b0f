import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetQueueUrlCommand, SendMessageCommand, type SendMessageCommandInput } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createAwsCapacity } from '#functions/capacity/aws-capacity.ts';
import { createEventProjectorHandler } from '#functions/event-projector/handler.ts';
import { createAwsStreamConnections } from '#functions/event-stream/connections/aws-connections.ts';
import { createAwsStreamFanout } from '#functions/event-stream/fanout/aws-fanout.ts';
import { createAwsStreamSender } from '#functions/event-stream/sender/aws-sender.ts';
import { createAwsReconciler } from '#functions/reconciler/aws-reconciler.ts';
import { createAwsWebhookDispatcher } from '#functions/webhook-dispatcher/aws-webhook-dispatcher.ts';
import { createAwsWebhookFanout } from '#functions/webhook-fanout/aws-webhook-fanout.ts';
import { listen } from '#localstack/embedded/loopback-listener.ts';
import { DynamoDbChatStore } from '#shared/adapters/dynamodb-chat-store.ts';
import { DynamoDbMessageStore } from '#shared/adapters/dynamodb-message-store.ts';
import { DynamoDbOwnershipStore } from '#shared/adapters/dynamodb-ownership-store.ts';
import { createUnpackEvent } from '#shared/adapters/event-detail.ts';
import { S3MediaStore } from '#shared/adapters/s3-media-store.ts';
import { CONTROL_SOURCE, ECS_SOURCE, SESSION_WANTED, TASK_STATE_CHANGE } from '#shared/contracts/fleet-events.ts';
import { webhookEndpoints } from '#shared/contracts/webhooks.ts';
import { eventId } from '#shared/domain/event-id.ts';
import { eventEnvelope } from '../contracts/events.ts';
import { hostRow, waMessage } from '../contracts/rows.ts';
import { sqsEvent } from '../support/sqs-event.ts';
import { ENVIRONMENT, EVENT, KEY, names, RightsWorld, readPepper } from './support/rights-world.ts';

const SERVICE = 'trunkline-dev/trunkline-dev-socket';

const world = new RightsWorld();
beforeAll(() => world.start(), 60_000);
afterAll(() => world.stop());
beforeEach(() => world.setTheScene());

describe('what functions behind queues and schedules ask of AWS is what their roles allow', () => {
  it('the projector, also of events that were too large for the bus', async () => {
    const { dynamo, s3 } = world.clientsOf('event-projector');
    const envelope = eventEnvelope({ event: 'message.any', payload: waMessage({ id: '3EB0BBBBBBBBBBBBBBBBBB' }) });
    const Key = `events/alpha/${envelope.id}.json`;
    await world.stores().media.put(Key, Buffer.from(JSON.stringify(envelope)), 'application/json');
    const ofBus = (detail: unknown) => ({ id: '1', source: 'trunkline', 'detail-type': 'message.any', detail });
    const details = [envelope, { id: envelope.id, session: 'alpha', s3: { Bucket: names.buckets.media, Key } }];
    const handler = createEventProjectorHandler({
      messages: new DynamoDbMessageStore(dynamo, names.tables.messages),
      chats: new DynamoDbChatStore(dynamo, names.tables.chats),
      unpackEvent: createUnpackEvent(new S3MediaStore(s3, names.buckets.media)),
      logger: { debug: () => {}, warn: () => {} },
    });
    const answer = await handler(sqsEvent(details.map(ofBus)));
    expect(answer.batchItemFailures).toEqual([]);
    expect(world.asked('event-projector')).toContain('s3:GetObject');
    expect(world.refused('event-projector')).toEqual([]);
  });

  it('the functions of the event stream', async () => {
    const event = eventEnvelope(
      { event: 'message.any', payload: waMessage({ id: 'AAAAA1', body: 'x'.repeat(200_000) }) },
      { id: eventId({ name: 'alpha', incarnation: 'one' }, 'message.any', Date.now(), 'AAAAA1') },
    );
    const { log } = world.stores();
    const statuses = [200, 429];
    const sockets = await listen(
      createServer((request, response) => {
        request.resume();
        const status = request.method === 'POST' ? (statuses.shift() ?? 200) : 204;
        const name = status === 429 ? { 'x-amzn-errortype': 'LimitExceededException' } : {};
        response.writeHead(status, name).end('{}');
      }),
    );
    const env = { ...ENVIRONMENT, AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI: sockets.url };
    const connections = createAwsStreamConnections(env, readPepper, world.clientsOf('stream-connections'));
    const fanout = createAwsStreamFanout(env, world.clientsOf('stream-fanout'));
    const sender = createAwsStreamSender(env, world.clientsOf('stream-sender'));
    const tell = (eventType: string, connectionId: string, query: Record<string, string[]> = {}, key = KEY) =>
      connections({
        headers: { 'x-api-key': key },
        multiValueQueryStringParameters: query,
        requestContext: { eventType, connectionId, domainName: 'streams.example.com', stage: 'ws' },
      });
    const all = { batchItemFailures: [] };
    expect(await tell('CONNECT', 'one', { session: ['alpha'] })).toEqual({ statusCode: 200 });
    await log.append([event]);
    expect(await tell('CONNECT', 'two', { session: ['*'], since: [event.id] })).toEqual({ statusCode: 200 });
    expect(await fanout(sqsEvent([{ id: '1', detail: { session: 'alpha', seq: event.seq } }]))).toEqual(all);
    const tasks = [
      { kind: 'opened', connectionId: 'two' },
      { kind: 'session', connectionId: 'one', session: 'alpha' },
    ];
    for (const task of tasks) expect(await sender(sqsEvent([task]))).toEqual(all);
    await log.append([{ ...event, seq: event.seq + 1 }]);
    // The other end takes nothing, then everything again.
    for (const task of [
      tasks[1] ?? {},
      { kind: 'retry', connectionId: 'one' },
      { kind: 'heartbeat', connectionId: 'one', at: Date.now() * 2 },
    ])
      expect(await sender(sqsEvent([task]))).toEqual(all);
    expect(await tell('DISCONNECT', 'one')).toEqual({ statusCode: 200 });
    expect(await sender(sqsEvent([{ kind: 'heartbeat', connectionId: 'gone', at: 1 }]))).toEqual(all);
    // A key of one session, until it is revoked.
    const made = await world.call('POST', '/api/keys', { body: { session: 'alpha' } });
    const { id, key } = z.object({ id: z.string(), key: z.string() }).parse(JSON.parse(made.text));
    expect(await tell('CONNECT', 'three', {}, key)).toEqual({ statusCode: 200 });
    const heartbeat = { kind: 'heartbeat', connectionId: 'three', at: Date.now() * 2 };
    expect(await sender(sqsEvent([heartbeat]))).toEqual(all);
    expect((await world.call('DELETE', `/api/keys/${id}`)).status).toBeLessThan(300);
    expect(await sender(sqsEvent([heartbeat]))).toEqual(all);
    await sockets.close();
    await log.deleteSome('alpha');
    for (const name of ['stream-connections', 'stream-fanout', 'stream-sender'])
      expect(world.refused(name)).toEqual([]);
    expect(world.asked('stream-sender')).toEqual([
      'dynamodb:BatchWriteItem',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:Scan',
      'dynamodb:UpdateItem',
      's3:PutObject',
      'sqs:GetQueueUrl',
      'sqs:SendMessage',
    ]);
  });

  it('the fan-out and the dispatcher of webhooks: events, a timer, a try that fails, and the end of an endpoint', async () => {
    const receiver = createServer((_request, response) => response.writeHead(statuses.shift() ?? 200).end());
    const statuses = [500, 410];
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address() as AddressInfo;
    const webhook = { url: `http://127.0.0.1:${port}/`, events: ['*'] };
    const { sessions, webhooks: store } = world.stores();
    const { incarnation = '' } = (await sessions.get('alpha')) ?? {};
    await sessions.intend('alpha', incarnation, { config: { webhooks: [webhook] } });
    const endpointId = webhookEndpoints([webhook], undefined)[0]?.id ?? '';
    const ofBus = { 'detail-type': 'message.any', detail: { id: EVENT, session: 'alpha', seq: 1 } };
    const timers = [0, Date.now() + 5_000].map((dueAt) => ({ timer: { session: 'alpha', endpointId, dueAt } }));
    const fanOut = createAwsWebhookFanout(ENVIRONMENT, world.clientsOf('webhook-fanout'));
    const dispatch = createAwsWebhookDispatcher(ENVIRONMENT, world.clientsOf('webhook-dispatcher'));
    // Of a record only these fields are read.
    const batch = (...bodies: readonly object[]) =>
      ({
        Records: bodies.map((body, index) => ({
          messageId: String(index),
          receiptHandle: 'receipt',
          body: JSON.stringify(body),
          attributes: { ApproximateReceiveCount: '1' },
        })),
      }) as never;
    expect(await fanOut(batch(ofBus, ...timers))).toEqual({ batchItemFailures: [] });
    const wake = { session: 'alpha', endpointId, event: { id: EVENT } };
    expect(await dispatch(batch(wake))).toEqual({ batchItemFailures: [] });
    const row = await store.get('alpha', endpointId);
    const [delivery] = row === undefined ? [] : await store.deliveries(row, { limit: 1, after: -1 });
    if (row === undefined || delivery === undefined) throw new Error('nothing was set aside');
    await store.setAside(row, [{ ...delivery, dueAt: 0 }]);
    expect(await dispatch(batch({ session: 'alpha', endpointId }))).toEqual({ batchItemFailures: [] });
    expect(await store.get('alpha', endpointId)).toMatchObject({ disabledReason: 'gone' });
    await store.enable('alpha', endpointId);
    await store.setAside(row, [{ ...delivery, dueAt: 0 }]);
    for (let turn = 0; turn < 2; turn += 1) await dispatch(batch({ session: 'alpha', endpointId }));
    expect(await store.get('alpha', endpointId)).not.toHaveProperty('setAside');
    receiver.close();
    expect(world.asked('webhook-fanout')).toContain('sqs:SendMessage');
    expect(world.asked('webhook-dispatcher')).toEqual(
      expect.arrayContaining(['events:PutEvents', 'sqs:ChangeMessageVisibility']),
    );
    for (const name of ['webhook-fanout', 'webhook-dispatcher']) expect(world.refused(name)).toEqual([]);
  });

  it('the reconciler', async () => {
    const { webhooksDeadLetters, webhookEndpointsDeadLetters } = names.queues;
    const post = async (QueueName: string, body: object, more: Partial<SendMessageCommandInput> = {}) => {
      const { QueueUrl } = await world.clients.sqs.send(new GetQueueUrlCommand({ QueueName }));
      await world.clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(body), ...more }));
    };
    await post(webhooksDeadLetters, { timer: { session: 'alpha', endpointId: 'wh_1', dueAt: 0 } });
    const wake = { session: 'alpha', endpointId: 'wh_1' };
    await post(webhookEndpointsDeadLetters, wake, { MessageGroupId: 'a', MessageDeduplicationId: 'a' });
    const reconcile = createAwsReconciler(ENVIRONMENT, world.clientsOf('reconciler'));
    await reconcile({}, { getRemainingTimeInMillis: () => 60_000 });
    expect(world.asked('reconciler')).toEqual(
      expect.arrayContaining(['sqs:SendMessage', 'sqs:ReceiveMessage', 'sqs:DeleteMessage']),
    );
    expect(world.refused('reconciler')).toEqual([]);
  });

  it('the capacity function: what hosts carry, what waits, the end of a task, and the services', async () => {
    const ownership = new DynamoDbOwnershipStore(world.clients.dynamo, names.tables);
    const task = 'arn:aws:ecs:region:account:task/trunkline-dev/1';
    await ownership.register({ ...hostRow(), task }, undefined);
    const note = (operation: string) =>
      world.note('capacity', { action: `ecs:${operation}`, arn: `arn:aws:ecs:region:account:service/${SERVICE}` });
    const handler = createAwsCapacity(ENVIRONMENT, world.clientsOf('capacity'), {
      count: async () => {
        note('DescribeServices');
        return { wanted: 0, running: 0 };
      },
      want: async () => {
        note('UpdateService');
      },
    });
    const time = new Date().toISOString();
    const bodies = [
      {
        source: CONTROL_SOURCE,
        'detail-type': SESSION_WANTED,
        time,
        detail: { session: 'alpha', shard: 'socket-00', pool: 'socket', at: 1 },
      },
      { source: ECS_SOURCE, 'detail-type': TASK_STATE_CHANGE, time, detail: { taskArn: task, lastStatus: 'STOPPED' } },
    ];
    expect(await handler(sqsEvent(bodies))).toEqual({ batchItemFailures: [] });
    expect(world.asked('capacity')).toEqual([
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:Scan',
      'dynamodb:UpdateItem',
      'ecs:DescribeServices',
      'ecs:UpdateService',
    ]);
    expect(world.refused('capacity')).toEqual([]);
  });
});

it('what their roles allow of tables is asked for', () => {
  const work = world.functions.filter(
    (name) => !name.startsWith('api-') && name !== 'authorizer' && name !== 'administrator-key',
  );
  expect(work.length).toBeGreaterThan(7);
  expect(world.unneeded(work)).toEqual([]);
});
