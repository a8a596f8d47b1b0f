import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetQueueUrlCommand, SendMessageCommand, type SendMessageCommandInput } from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { createAdministratorKey } from '#functions/administrator-key/administrator-key.ts';
import { createAwsApiDeps } from '#functions/api/aws-deps.ts';
import { createApiFunctions } from '#functions/api/functions.ts';
import type { SignedCaller } from '#functions/api/signed-caller.ts';
import { arbitraryInput } from '#functions/api/test-support/arbitrary.ts';
import { createAuthorizer } from '#functions/authorizer/authorizer.ts';
import { createIdentifyKey } from '#functions/authorizer/identify-key.ts';
import { createNoteUse } from '#functions/authorizer/last-used.ts';
import { createAwsCapacity } from '#functions/capacity/aws-capacity.ts';
import { createEventProjectorHandler } from '#functions/event-projector/handler.ts';
import { createAwsStreamConnections } from '#functions/event-stream/connections/aws-connections.ts';
import { createAwsStreamFanout } from '#functions/event-stream/fanout/aws-fanout.ts';
import { createAwsStreamSender } from '#functions/event-stream/sender/aws-sender.ts';
import { createAwsReconciler } from '#functions/reconciler/aws-reconciler.ts';
import { createAwsWebhookDispatcher } from '#functions/webhook-dispatcher/aws-webhook-dispatcher.ts';
import { createAwsWebhookFanout } from '#functions/webhook-fanout/aws-webhook-fanout.ts';
import { type LocalCloud, startLocalCloud } from '#localstack/embedded/local-cloud.ts';
import { listen } from '#localstack/embedded/loopback-listener.ts';
import { type AwsClients, createAwsClients, destroyAwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbApiKeyStore } from '#shared/adapters/dynamodb-api-key-store.ts';
import { DynamoDbChatStore } from '#shared/adapters/dynamodb-chat-store.ts';
import { DynamoDbEventLog } from '#shared/adapters/dynamodb-event-log.ts';
import { DynamoDbJobStore } from '#shared/adapters/dynamodb-job-store.ts';
import { DynamoDbMessageStore } from '#shared/adapters/dynamodb-message-store.ts';
import { DynamoDbOwnershipStore } from '#shared/adapters/dynamodb-ownership-store.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { DynamoDbWebhookStore } from '#shared/adapters/dynamodb-webhook-store.ts';
import { createPepperReader } from '#shared/adapters/key-pepper-reader.ts';
import { S3MediaStore } from '#shared/adapters/s3-media-store.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { OPERATIONS } from '#shared/contracts/api/index.ts';
import type { Operation } from '#shared/contracts/api/operation.ts';
import { apiRoutes, functionName } from '#shared/contracts/api/routes.ts';
import { CONTROL_SOURCE, ECS_SOURCE, SESSION_WANTED, TASK_STATE_CHANGE } from '#shared/contracts/fleet-events.ts';
import { resourceDefinition, resourceNames } from '#shared/contracts/resources.ts';
import { webhookEndpoints } from '#shared/contracts/webhooks.ts';
import { eventId } from '#shared/domain/event-id.ts';
import { iamEntryId } from '#shared/domain/iam-principal.ts';
import { eventEnvelope } from '../contracts/events.ts';
import { hostRow, jobRow, sessionRow, waMessage } from '../contracts/rows.ts';
import { allowedBy, permits, unneeded } from './support/policies.ts';
import { type RecordedCall, recordedClients } from './support/recorded-clients.ts';
import { createResolver } from './support/resolve.ts';
import { resourcesOf, synthesize } from './support/synthesis.ts';

const KEY = 'the-administrator-of-the-test';
const CHAT = '4915100000001@c.us';
const MESSAGE = '3EB0AAAAAAAAAAAAAAAAAA';
const KEY_ID = `key_id_${'0'.repeat(26)}`;
const readPepper = createPepperReader(async () => 'the-pepper-of-the-tests');
const SHARDS = 2;
const EVENT = 'evt_00000000000000000000000000';
const WEBHOOK = { url: 'http://127.0.0.1:9/', events: ['*'] };
const ENDPOINT = webhookEndpoints([WEBHOOK], undefined)[0]?.id ?? '';
const SERVICE = 'trunkline-dev/trunkline-dev-socket';
const TRIES = 80;
const ENVIRONMENT = {
  RESOURCE_PREFIX: 'trunkline-dev',
  BUCKET_SUFFIX: '-account-region',
  SHARD_COUNT: String(SHARDS),
  S3_PATH_STYLE: 'true',
  LOG_LEVEL: 'fatal',
  OWNER_WAIT_MS: '0',
  STATE_WAIT_MS: '0',
  COMMAND_WAIT_MS: '0',
  RECONCILE_AFTER_SECONDS: '0',
  WEBHOOK_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
};
const names = resourceNames(ENVIRONMENT);
/** What fields are called, and something for each that is there or of the right form. */
const KNOWN: Readonly<Record<string, unknown>> = {
  session: 'alpha',
  chatId: CHAT,
  messageId: `true_${CHAT}_${MESSAGE}`,
  phone: '4915100000001',
  phoneNumber: '4915100000001',
  text: 'hello',
  file: { mimetype: 'image/jpeg', data: Buffer.from('picture').toString('base64') },
  limit: 10,
  latitude: 1.5,
  longitude: 2.5,
  emoji: '👍',
  reaction: '👍',
  poll: { name: 'Lunch?', options: ['yes', 'no'], multipleAnswers: false },
  contacts: [{ fullName: 'Ada', phoneNumber: '+4915100000001' }],
  config: {},
  endpoint: ENDPOINT,
  events: [EVENT],
  from: null,
};
const PATH: Readonly<Record<string, string>> = {
  session: 'alpha',
  chatId: CHAT,
  messageId: `true_${CHAT}_${MESSAGE}`,
  id: 'job_1',
  file: 'photo.jpg',
};

/** What functions asked of the local cloud, by function. */
const asked = new Map<string, RecordedCall[]>();
/** How each function finds out who has signed. */
const signedCallers = new Map<string, SignedCaller>();
let cloud: LocalCloud;
let clients: AwsClients;
const before = { ...process.env };

async function post(QueueName: string, body: object, more: Partial<SendMessageCommandInput> = {}): Promise<void> {
  const { QueueUrl } = await clients.sqs.send(new GetQueueUrlCommand({ QueueName }));
  await clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(body), ...more }));
}

function clientsOf(name: string): AwsClients {
  const calls: RecordedCall[] = [];
  asked.set(name, calls);
  return recordedClients(clients, (call) => calls.push(call));
}

beforeAll(async () => {
  cloud = await startLocalCloud({
    resources: { ...resourceDefinition(SHARDS, names), eventSources: [], schedules: [] },
    functions: (env) => {
      Object.assign(process.env, env);
      clients = createAwsClients({ pathStyle: true });
      const groups = new Set(apiRoutes().map((route) => route.functionName));
      const { dynamo } = clientsOf('authorizer');
      const keys = new DynamoDbApiKeyStore(dynamo, names.tables.apiKeys);
      const sessions = new DynamoDbSessionStore(dynamo, names.tables.sessions);
      return {
        authorizer: {
          handler: createAuthorizer({
            identify: createIdentifyKey({ keys, sessions, readPepper, clock: systemClock }),
            noteUse: createNoteUse({ keys, clock: systemClock, logger: { warn: () => {} } }),
          }),
        },
        ...Object.fromEntries(
          [...groups].map((name) => {
            const deps = { ...createAwsApiDeps(ENVIRONMENT, clientsOf(name)), readPepper };
            signedCallers.set(name, deps.signedCaller);
            return [name, { handler: createApiFunctions(deps)[name] }];
          }),
        ),
      };
    },
    api: { routes: apiRoutes(), authorizer: { functionName: 'authorizer' } },
  });
  const keys = new DynamoDbApiKeyStore(clientsOf('administrator-key').dynamo, names.tables.apiKeys);
  await createAdministratorKey({ keys, readKey: async () => KEY, readPepper, clock: systemClock })();
}, 60_000);

afterAll(async () => {
  await cloud.stop();
  destroyAwsClients(clients);
  process.env = before;
});

/** A session that works, a message, a file and jobs, whatever the operation before has left. */
async function setTheScene(): Promise<void> {
  const { dynamo, s3 } = clients;
  const sessions = new DynamoDbSessionStore(dynamo, names.tables.sessions);
  const jobs = new DynamoDbJobStore(dynamo, names.tables.jobs);
  const found = await sessions.get('alpha');
  if (found !== undefined) await sessions.remove('alpha', found.incarnation, found.epoch);
  const config = { webhooks: [WEBHOOK] };
  const row = sessionRow({ status: 'WORKING', config, incarnation: `inc-${performance.now()}` });
  await sessions.create(row);
  await sessions.report('alpha', row.incarnation, 1, {
    status: 'WORKING',
    qr: { value: 'qr', expiresAt: Date.now() + 60_000 },
  });
  await jobs
    .create(jobRow({ jobId: 'job_1', expiresAt: Date.now() + 60_000, openShard: 'socket-00' }))
    .catch(() => undefined);
  const grant = { name: null, isAdmin: false, isActive: true, session: 'alpha', incarnation: row.incarnation };
  const keys = new DynamoDbApiKeyStore(dynamo, names.tables.apiKeys);
  await keys.create({ ...grant, id: KEY_ID, version: 1, hash: 'ab', actions: [], createdAt: 1 });
  const messages = new DynamoDbMessageStore(dynamo, names.tables.messages);
  const media = new S3MediaStore(s3, names.buckets.media);
  const log = new DynamoDbEventLog(dynamo, media, { tableName: names.tables.eventLog });
  await Promise.all([
    log.append([eventEnvelope({ event: 'message.any', payload: waMessage({ id: MESSAGE }) }, { id: EVENT })]),
    messages.add('alpha', waMessage({ id: MESSAGE, fromMe: true }), 1),
    new DynamoDbChatStore(dynamo, names.tables.chats).touch('alpha', CHAT, { id: MESSAGE, timestamp: 1, seq: 1 }),
    media.put('files/alpha/photo.jpg', Buffer.from('x'), 'image/jpeg'),
  ]);
}

/** Calls an operation with inputs of its schema until one of them is not of the wrong form. */
async function callOnce({ method, path, request, group }: Operation): Promise<number> {
  const url = path.replace(/\{(\w+)\+?\}/g, (_all, name: string) =>
    encodeURIComponent((name === 'id' && group === 'keys' ? KEY_ID : PATH[name]) ?? 'x'),
  );
  const options = { numRuns: TRIES, seed: 7 };
  // First what is known to be there, then what comes to mind.
  const bodies =
    request.body === undefined ? [] : [fields(request.body), ...fc.sample(arbitraryInput(request.body), options)];
  const queries = request.query === undefined ? [] : fc.sample(arbitraryInput(request.query), options);
  let status = 0;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const address = new URL(`${cloud.listeners.api?.url}${url}`);
    for (const [name, value] of Object.entries(sensible(queries[attempt], 'query')))
      address.searchParams.set(name, String(value));
    const body = request.body === undefined ? undefined : JSON.stringify(sensible(bodies[attempt], 'body'));
    const answer = await fetch(address, {
      method,
      redirect: 'manual',
      headers: { 'x-api-key': KEY, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body }),
    });
    await answer.arrayBuffer();
    status = answer.status;
    if (status !== 400) return status;
  }
  return status;
}

const fields = (schema: z.ZodObject) =>
  Object.fromEntries(Object.keys(schema.shape).flatMap((name) => (name in KNOWN ? [[name, null]] : [])));

/** Where inputs name something, they name what is there. */
function sensible(input: unknown, place: 'query' | 'body'): Record<string, unknown> {
  const given = typeof input === 'object' && input !== null ? Object.entries(input) : [];
  return Object.fromEntries(
    given.map(([name, value]) => [name, KNOWN[name] ?? (place === 'body' && name === 'name' ? 'beta' : value)]),
  );
}

const synthesis = synthesize('dev');
const resolver = createResolver(synthesis, 'dev');
const template = synthesis.stacks.functions;
if (template === undefined) throw new Error('no stack for functions');
const allowed = allowedBy(template, resolver);

function statementsOf(name: string) {
  const made = resourcesOf(template, 'AWS::Lambda::Function').find(
    ({ Properties }) => Properties.FunctionName === `trunkline-dev-${name}`,
  );
  const role = (made?.Properties.Role as { readonly 'Fn::GetAtt': readonly string[] } | undefined)?.['Fn::GetAtt'][0];
  return allowed.get(role ?? '') ?? [];
}

/** What a function has asked for and may not. */
const refused = (name: string): readonly string[] => {
  const calls = (asked.get(name) ?? []).filter(({ action, arn }) => !permits(statementsOf(name), action, arn));
  return [...new Set(calls.map(({ action, arn }) => `${action} ${arn}`))];
};

describe('what functions ask of AWS is what their roles allow', () => {
  it.each(OPERATIONS.map((operation) => [operation.id, operation] as const))('%s', async (_id, operation) => {
    await setTheScene();
    const status = await callOnce(operation);
    expect(status).not.toBe(400);
    expect(status).toBeLessThan(500);
    expect(refused(functionName(operation.group))).toEqual([]);
  });

  it.each([
    'authorizer',
    'administrator-key',
    'api-sessions',
    'api-chatting',
    'api-chats',
    'api-files',
    'api-jobs',
    'api-keys',
  ])('%s asked for something', (name) => {
    expect(asked.get(name)).not.toHaveLength(0);
    expect(refused(name)).toEqual([]);
  });

  const closed = new Set(OPERATIONS.filter(({ scope }) => scope !== 'public').map(({ group }) => functionName(group)));
  it.each([...closed])('%s finds out what an IAM principal may do', async (name) => {
    await setTheScene();
    const principal = 'arn:aws:iam::123456789012:user/ada';
    const session = await new DynamoDbSessionStore(clients.dynamo, names.tables.sessions).get('alpha');
    const keys = new DynamoDbApiKeyStore(clients.dynamo, names.tables.apiKeys);
    const id = iamEntryId(principal);
    const grant = { name: null, isAdmin: false, isActive: true, session: 'alpha', incarnation: session?.incarnation };
    await keys.remove(id, 1);
    await keys.create({ ...grant, id, version: 1, principal, actions: ['read'], createdAt: 1 });
    expect(await signedCallers.get(name)?.(principal)).toMatchObject({ session: 'alpha', isAdmin: false });
    expect(refused(name)).toEqual([]);
  });

  it('the projector, also of events that were too large for the bus', async () => {
    const { dynamo, s3 } = clientsOf('event-projector');
    const media = new S3MediaStore(s3, names.buckets.media);
    const envelope = eventEnvelope({ event: 'message.any', payload: waMessage({ id: '3EB0BBBBBBBBBBBBBBBBBB' }) });
    const Key = `events/alpha/${envelope.id}.json`;
    await new S3MediaStore(clients.s3, names.buckets.media).put(
      Key,
      Buffer.from(JSON.stringify(envelope)),
      'application/json',
    );
    const ofBus = (detail: unknown) => ({ id: '1', source: 'trunkline', 'detail-type': 'message.any', detail });
    const details = [envelope, { id: envelope.id, session: 'alpha', s3: { Bucket: names.buckets.media, Key } }];
    const handler = createEventProjectorHandler({
      messages: new DynamoDbMessageStore(dynamo, names.tables.messages),
      chats: new DynamoDbChatStore(dynamo, names.tables.chats),
      media,
      logger: { warn: () => {} },
    });
    const records = details.map((detail, index) => ({
      messageId: String(index),
      body: JSON.stringify(ofBus(detail)),
      attributes: { ApproximateReceiveCount: '1' },
    }));
    // Of a record only these fields are read.
    const answer = await handler({ Records: records } as unknown as Parameters<typeof handler>[0]);
    expect(answer.batchItemFailures).toEqual([]);
    expect(asked.get('event-projector')?.map(({ action }) => action)).toContain('s3:GetObject');
    expect(refused('event-projector')).toEqual([]);
  });

  it('the functions of the event stream', async () => {
    const event = eventEnvelope(
      { event: 'message.any', payload: waMessage({ id: 'AAAAA1', body: 'x'.repeat(200_000) }) },
      { id: eventId({ name: 'alpha', incarnation: 'one' }, 'message.any', Date.now(), 'AAAAA1') },
    );
    const media = new S3MediaStore(clients.s3, names.buckets.media);
    const log = new DynamoDbEventLog(clients.dynamo, media, { tableName: names.tables.eventLog });
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
    const connections = createAwsStreamConnections(env, readPepper, clientsOf('stream-connections'));
    const fanout = createAwsStreamFanout(env, clientsOf('stream-fanout'));
    const sender = createAwsStreamSender(env, clientsOf('stream-sender'));
    const tell = (eventType: string, connectionId: string, query: Record<string, string[]> = {}) =>
      connections({
        headers: { 'x-api-key': KEY },
        multiValueQueryStringParameters: query,
        requestContext: { eventType, connectionId, domainName: 'streams.example.com', stage: 'ws' },
      });
    // Of a record only these fields are read.
    const records = (bodies: readonly object[]) =>
      ({
        Records: bodies.map((body, index) => ({
          messageId: String(index),
          body: JSON.stringify(body),
          attributes: { MessageGroupId: String(index) },
        })),
      }) as unknown as Parameters<typeof fanout>[0];
    const all = { batchItemFailures: [] };
    await setTheScene();
    expect(await tell('CONNECT', 'one', { session: ['alpha'] })).toEqual({ statusCode: 200 });
    await log.append([event]);
    expect(await tell('CONNECT', 'two', { session: ['*'], since: [event.id] })).toEqual({ statusCode: 200 });
    expect(await fanout(records([{ id: '1', detail: { session: 'alpha', seq: event.seq } }]))).toEqual(all);
    const tasks = [
      { kind: 'opened', connectionId: 'two' },
      { kind: 'session', connectionId: 'one', session: 'alpha' },
    ];
    for (const task of tasks) expect(await sender(records([task]))).toEqual(all);
    await log.append([{ ...event, seq: event.seq + 1 }]);
    // The other end takes nothing, then everything again.
    for (const task of [
      tasks[1] ?? {},
      { kind: 'retry', connectionId: 'one' },
      { kind: 'heartbeat', connectionId: 'one', at: Date.now() * 2 },
    ])
      expect(await sender(records([task]))).toEqual(all);
    expect(await tell('DISCONNECT', 'one')).toEqual({ statusCode: 200 });
    expect(await sender(records([{ kind: 'heartbeat', connectionId: 'gone', at: 1 }]))).toEqual(all);
    await sockets.close();
    await log.deleteSome('alpha');
    for (const name of ['stream-connections', 'stream-fanout', 'stream-sender']) expect(refused(name)).toEqual([]);
    const actions = new Set(asked.get('stream-sender')?.map(({ action }) => action));
    expect([...actions].sort()).toEqual([
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
    await setTheScene();
    const receiver = createServer((_request, response) => response.writeHead(statuses.shift() ?? 200).end());
    const statuses = [500, 410];
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address() as AddressInfo;
    const webhook = { url: `http://127.0.0.1:${port}/`, events: ['*'] };
    const sessions = new DynamoDbSessionStore(clients.dynamo, names.tables.sessions);
    const { incarnation = '' } = (await sessions.get('alpha')) ?? {};
    await sessions.intend('alpha', incarnation, { config: { webhooks: [webhook] } });
    const endpointId = webhookEndpoints([webhook], undefined)[0]?.id ?? '';
    const ofBus = { 'detail-type': 'message.any', detail: { id: EVENT, session: 'alpha', seq: 1 } };
    const timers = [0, Date.now() + 5_000].map((dueAt) => ({ timer: { session: 'alpha', endpointId, dueAt } }));
    const environment = { ...ENVIRONMENT, WEBHOOK_ALLOW_PRIVATE_HOSTS: '127.0.0.1' };
    const fanOut = createAwsWebhookFanout(environment, clientsOf('webhook-fanout'));
    const dispatch = createAwsWebhookDispatcher(environment, clientsOf('webhook-dispatcher'));
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
    const store = new DynamoDbWebhookStore(clients.dynamo, names.tables);
    const row = await store.get('alpha', endpointId);
    const [delivery] = await store.retrying('alpha', endpointId);
    if (row === undefined || delivery === undefined) throw new Error('nothing was set aside');
    await store.setAside(row, [{ ...delivery, dueAt: 0 }]);
    expect(await dispatch(batch({ session: 'alpha', endpointId }))).toEqual({ batchItemFailures: [] });
    expect(await store.get('alpha', endpointId)).toMatchObject({ disabledReason: 'gone' });
    await store.enable('alpha', endpointId);
    await store.setAside(row, [{ ...delivery, dueAt: 0 }]);
    for (let turn = 0; turn < 2; turn += 1) await dispatch(batch({ session: 'alpha', endpointId }));
    expect(await store.get('alpha', endpointId)).not.toHaveProperty('setAside');
    receiver.close();
    const actions = (name: string) => [...new Set(asked.get(name)?.map(({ action }) => action))];
    expect(actions('webhook-fanout')).toContain('sqs:SendMessage');
    expect(actions('webhook-dispatcher')).toEqual(
      expect.arrayContaining(['events:PutEvents', 'sqs:ChangeMessageVisibility']),
    );
    for (const name of ['webhook-fanout', 'webhook-dispatcher']) expect(refused(name)).toEqual([]);
  });

  it('the reconciler', async () => {
    await setTheScene();
    const { webhooksDeadLetters, webhookEndpointsDeadLetters } = names.queues;
    const timer = { session: 'alpha', endpointId: 'wh_1', dueAt: 0 };
    await post(webhooksDeadLetters, { timer });
    await post(
      webhookEndpointsDeadLetters,
      { session: 'alpha', endpointId: 'wh_1' },
      { MessageGroupId: 'a', MessageDeduplicationId: 'a' },
    );
    await createAwsReconciler(ENVIRONMENT, clientsOf('reconciler'))();
    expect(asked.get('reconciler')?.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['sqs:SendMessage', 'sqs:ReceiveMessage', 'sqs:DeleteMessage']),
    );
    expect(refused('reconciler')).toEqual([]);
  });

  it('the capacity function: what hosts carry, what waits, the end of a task, and the services', async () => {
    const { dynamo } = clients;
    const ownership = new DynamoDbOwnershipStore(dynamo, names.tables);
    const task = 'arn:aws:ecs:region:account:task/trunkline-dev/1';
    await ownership.register({ ...hostRow(), task }, undefined);
    await setTheScene();
    const calls: RecordedCall[] = [];
    const note = (operation: string) =>
      calls.push({ action: `ecs:${operation}`, arn: `arn:aws:ecs:region:account:service/${SERVICE}` });
    const handler = createAwsCapacity(ENVIRONMENT, clientsOf('capacity'), {
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
    const Records = bodies.map((body, index) => ({ messageId: String(index), body: JSON.stringify(body) }));
    // Of a record only these fields are read.
    expect(await handler({ Records } as unknown as Parameters<typeof handler>[0])).toEqual({ batchItemFailures: [] });
    asked.get('capacity')?.push(...calls);
    const actions = new Set(asked.get('capacity')?.map(({ action }) => action));
    expect([...actions].sort()).toEqual([
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:Scan',
      'dynamodb:UpdateItem',
      'ecs:DescribeServices',
      'ecs:UpdateService',
    ]);
    expect(refused('capacity')).toEqual([]);
  });
});

/** What is allowed and nothing above asks for, by when it is asked for. */
const SELDOM: Readonly<Record<string, readonly string[]>> = {
  'a job that exists already, is waited for, or is withdrawn because the queue did not take it': [
    'api-chats dynamodb:GetItem trunkline-dev-jobs',
    'api-chats dynamodb:UpdateItem trunkline-dev-jobs',
    'api-chatting dynamodb:GetItem trunkline-dev-jobs',
    'api-chatting dynamodb:UpdateItem trunkline-dev-jobs',
    'api-contacts dynamodb:GetItem trunkline-dev-jobs',
    'api-contacts dynamodb:UpdateItem trunkline-dev-jobs',
    'api-pairing dynamodb:GetItem trunkline-dev-jobs',
    'api-pairing dynamodb:UpdateItem trunkline-dev-jobs',
  ],
  'a pairing code of a session that wants one': ['api-pairing dynamodb:PutItem trunkline-dev-jobs'],
  'what the read models have not got yet when it is asked for': [
    'api-chats dynamodb:BatchGetItem trunkline-dev-chats',
    'api-chatting dynamodb:UpdateItem trunkline-dev-messages',
    'api-jobs dynamodb:BatchGetItem trunkline-dev-jobs',
    'api-jobs dynamodb:GetItem trunkline-dev-messages',
  ],
  'the list of all keys': ['api-keys dynamodb:Scan trunkline-dev-keys'],
  'a session of a name that something is left of, one that was made while another was, and its keys': [
    'api-sessions dynamodb:BatchWriteItem trunkline-dev-chats',
    'api-sessions dynamodb:BatchWriteItem trunkline-dev-messages',
    'api-sessions dynamodb:BatchWriteItem trunkline-dev-webhook-deliveries',
    'api-sessions dynamodb:BatchWriteItem trunkline-dev-webhook-endpoints',
    'api-sessions dynamodb:DeleteItem trunkline-dev-keys',
    'api-sessions dynamodb:DeleteItem trunkline-dev-sessions',
  ],
  'webhooks in the configuration of a session': [
    'api-sessions dynamodb:PutItem trunkline-dev-webhook-endpoints',
    'api-sessions dynamodb:Query trunkline-dev-event-log',
    'api-sessions dynamodb:Query trunkline-dev-webhook-deliveries',
    'api-sessions dynamodb:UpdateItem trunkline-dev-webhook-endpoints',
  ],
  'keys of one session': [
    'authorizer dynamodb:GetItem trunkline-dev-sessions',
    'stream-connections dynamodb:GetItem trunkline-dev-sessions',
    'stream-sender dynamodb:GetItem trunkline-dev-sessions',
  ],
  'a stream whose other end has gone': [
    'stream-sender dynamodb:BatchWriteItem trunkline-dev-streams',
    'stream-sender dynamodb:Query trunkline-dev-streams',
  ],
};

it('what roles allow of tables is asked for', () => {
  const made = resourcesOf(template, 'AWS::Lambda::Function').flatMap(({ Properties }) =>
    typeof Properties.FunctionName === 'string' ? [Properties.FunctionName.replace('trunkline-dev-', '')] : [],
  );
  expect(made.length).toBeGreaterThan(15);
  expect(made.flatMap((name) => unneeded(name, statementsOf(name), asked.get(name) ?? [])).sort()).toEqual(
    Object.values(SELDOM).flat().sort(),
  );
});
