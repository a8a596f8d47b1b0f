import { afterAll, beforeAll, expect, it } from 'vitest';
import { ManualLease } from '#engine-host/host/manual-lease.ts';
import { eraseSession } from '#engine-host/sessions/erase-session.ts';
import { untried } from '#functions/webhook-dispatcher/tried-event.ts';
import { type LocalCloud, startLocalCloud } from '#localstack/embedded/local-cloud.ts';
import { type AwsClients, createAwsClients, destroyAwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbChatStore } from '#shared/adapters/dynamodb-chat-store.ts';
import { DynamoDbEventLog } from '#shared/adapters/dynamodb-event-log.ts';
import { DynamoDbJobStore } from '#shared/adapters/dynamodb-job-store.ts';
import { DynamoDbJournalStore } from '#shared/adapters/dynamodb-journal-store.ts';
import { DynamoDbMessageStore } from '#shared/adapters/dynamodb-message-store.ts';
import { DynamoDbOwnershipStore } from '#shared/adapters/dynamodb-ownership-store.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { DynamoDbWebhookStore } from '#shared/adapters/dynamodb-webhook-store.ts';
import { DynamoDbWrappedKeyStore } from '#shared/adapters/dynamodb-wrapped-key-store.ts';
import { EventBridgeEventBus } from '#shared/adapters/event-bridge-event-bus.ts';
import { createKmsClient } from '#shared/adapters/kms-client.ts';
import { KmsDataKeys } from '#shared/adapters/kms-data-keys.ts';
import { S3CheckpointStore } from '#shared/adapters/s3-checkpoint-store.ts';
import { S3JournalBodyStore } from '#shared/adapters/s3-journal-body-store.ts';
import { S3MediaStore } from '#shared/adapters/s3-media-store.ts';
import { SqsShardQueue } from '#shared/adapters/sqs-shard-queue.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { mediaKey } from '#shared/contracts/media-keys.ts';
import { resourceDefinition } from '#shared/contracts/resource-definition.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import type { SessionRow } from '#shared/contracts/rows.ts';
import { eventEnvelope } from '../contracts/events.ts';
import { hostRow, jobRow, sessionRow, waMessage } from '../contracts/rows.ts';
import { allowedBy, permits, unneeded } from './support/policies.ts';
import { type RecordedCall, recordedClients } from './support/recorded-clients.ts';
import { createResolver } from './support/resolve.ts';
import { synthesize } from './support/synthesis.ts';

const names = resourceNames({ RESOURCE_PREFIX: 'trunkline-dev', BUCKET_SUFFIX: '-account-region' });
const { tables, buckets } = names;
const synthesis = synthesize('dev');
const { hosts } = synthesis.stacks;
if (hosts === undefined) throw new Error('no stack for hosts');
const policies = allowedBy(hosts, createResolver(synthesis, 'dev'));
const statements = [...policies].flatMap(([role, all]) => (/^SocketRole/.test(role) ? all : []));
const before = { ...process.env };
let cloud: LocalCloud;
let clients: AwsClients;

beforeAll(async () => {
  const resources = { ...resourceDefinition(1, names), eventSources: [], schedules: [] };
  cloud = await startLocalCloud({ resources, functions: {} });
  Object.assign(process.env, cloud.env);
  clients = createAwsClients({ pathStyle: true });
}, 60_000);
/** Everything that is stored of a session, as a host deletes it. */
async function eraseWith({ dynamo, s3 }: Pick<AwsClients, 'dynamo' | 's3'>, row: SessionRow): Promise<void> {
  const media = new S3MediaStore(s3, buckets.media);
  const wrappedKeys = new DynamoDbWrappedKeyStore(dynamo, tables.dataKeys);
  const stores = {
    readModels: [
      new DynamoDbMessageStore(dynamo, tables.messages),
      new DynamoDbChatStore(dynamo, tables.chats),
      new DynamoDbWebhookStore(dynamo, tables),
    ],
    eventLog: new DynamoDbEventLog(dynamo, media, { tableName: tables.eventLog }),
    media,
    checkpoints: new S3CheckpointStore(s3, buckets.state),
    journal: new DynamoDbJournalStore(dynamo, tables.journal),
    journalBodies: new S3JournalBodyStore(s3, buckets.state),
    dataKeys: new KmsDataKeys({ kms: createKmsClient(), keyId: 'not asked for', wrappedKeys, clock: systemClock }),
  };
  await eraseSession(row, new ManualLease(), stores, new AbortController().signal, (error) => {
    throw error;
  });
}

afterAll(async () => {
  destroyAwsClients(clients);
  await cloud.stop();
  process.env = before;
});

it('a host may do what its stores and queues ask for, and nothing else with rows and messages', async () => {
  const calls: RecordedCall[] = [];
  const { dynamo, sqs, s3, eventBridge } = recordedClients(clients, (call) => calls.push(call));
  const row = sessionRow({ name: 'beta' });
  // What the API writes.
  await new DynamoDbSessionStore(clients.dynamo, tables.sessions).create(row);
  await new DynamoDbJobStore(clients.dynamo, tables.jobs).create(jobRow({ session: row.name }));

  const readModel = new DynamoDbMessageStore(clients.dynamo, tables.messages);
  for (const fromMe of [false, true]) await readModel.add(row.name, waMessage({ id: 'AAAAA1', fromMe }), 1);
  await new DynamoDbChatStore(clients.dynamo, tables.chats).touch(row.name, 'c', { id: 'a', timestamp: 1, seq: 1 });
  const webhooks = new DynamoDbWebhookStore(clients.dynamo, tables);
  await webhooks.declare(row.name, 'wh_1', 1, 0);
  await webhooks.setAside({ session: row.name, endpointId: 'wh_1', addedAt: 1 }, [
    untried(eventEnvelope({ event: 'message.any', payload: waMessage({ id: 'AAAAA1' }) }), 1, { chatId: undefined }, 1),
  ]);

  const ownership = new DynamoDbOwnershipStore(dynamo, tables);
  const host = hostRow();
  await ownership.ensureShards([row.shard]);
  await ownership.register(host, undefined);
  await ownership.register(host, undefined);
  await ownership.heartbeat(host.hostId, host.incarnation, 2, { state: 'ACTIVE', load: 0 });
  expect(await ownership.hosts()).toHaveLength(1);
  const free = await ownership.shard(row.shard);
  if (free === undefined) throw new Error('no shard');
  const mine = await ownership.acquire(free, host.hostId, host.incarnation);
  expect(mine?.epoch).toBe(1);

  const sessions = new DynamoDbSessionStore(dynamo, tables.sessions);
  expect(await sessions.get(row.name)).toBeDefined();
  expect(await sessions.listByShard(row.shard)).toHaveLength(1);
  await sessions.report(row.name, row.incarnation, 1, { status: 'WORKING' });
  const jobs = new DynamoDbJobStore(dynamo, tables.jobs);
  expect(await jobs.get(row.name, 'job-1')).toBeDefined();
  await jobs.listOpen(row.shard, row.name);
  await jobs.endUntold(row.name, 'none', 1, { state: 'FAILED', error: { code: 'a', message: 'b' } });
  await jobs.noteTold(row.name, 'none');
  await jobs.prepare(row.name, 'job-1', 1, { content: 'content' });
  await jobs.advance(row.name, 'job-1', 1, { state: 'SENT' });
  // The first message with an id is not the one that is meant.
  const messages = new DynamoDbMessageStore(dynamo, tables.messages);
  expect(await messages.get(row.name, 'AAAAA1', { fromMe: true })).toBeDefined();

  const journal = new DynamoDbJournalStore(dynamo, tables.journal);
  const record = { epoch: 1, batchId: 'a', body: Buffer.from('x') };
  await journal.append(row, { ...record, lsn: 1, kind: 'seal' });
  await journal.append(row, { ...record, lsn: 2, kind: 'changes' });
  expect(await journal.append(row, { ...record, lsn: 2, kind: 'changes' })).toMatchObject({ kind: 'taken' });
  await journal.retire(row, 3, 4_000_000_000);
  const keys = new DynamoDbWrappedKeyStore(dynamo, tables.dataKeys);
  await keys.add(row, { number: 1, wrapped: Buffer.from('x'), createdAt: 1 });
  await keys.get(row, 1);
  await keys.newest(row);

  const checkpoints = new S3CheckpointStore(s3, buckets.state);
  const checkpoint = await checkpoints.put(row, 1, 1, Buffer.from('state'));
  await checkpoints.get(checkpoint);
  await checkpoints.prune(row, 1);
  const bodies = new S3JournalBodyStore(s3, buckets.state);
  await bodies.put(row, 1, 1, Buffer.from('x'));
  await bodies.get(row, 1, 1);
  await bodies.deleteBelow(row, 2);
  const media = new S3MediaStore(s3, buckets.media);
  // Received media is stored once, media to send is read.
  expect(await media.exists(mediaKey.file(row.name, 'a.jpg'))).toBe(false);
  await media.put(mediaKey.file(row.name, 'a.jpg'), Buffer.from('x'), 'image/jpeg');
  await new S3MediaStore(clients.s3, buckets.media).put(mediaKey.out(row.name, 'job', 'b'), Buffer.from('x'), 'a/b');
  await media.get(mediaKey.out(row.name, 'job', 'b'));

  const shardQueue = names.shardQueue;
  const queue = new SqsShardQueue(sqs, { queueName: shardQueue, deadLetterQueue: names.queues.shardDeadLetters });
  await queue.send(row.shard, { kind: 'job', session: row.name, jobId: 'job-1' }, 'sends', 'a');
  const [received] = await queue.receive(row.shard, new AbortController().signal);
  if (received === undefined) throw new Error('no message');
  await queue.postpone(row.shard, received.receipt, 10);
  await queue.bury(row.shard, received, 'poison');

  const large = eventEnvelope({
    event: 'message.any',
    payload: waMessage({ id: 'AAAAA1', body: 'x'.repeat(300_000) }),
  });
  await new EventBridgeEventBus(eventBridge, media, names.bus).publish([large]);
  await new DynamoDbEventLog(dynamo, media, { tableName: tables.eventLog }).append([large]);
  await ownership.release(row.shard, host.incarnation, 1);
  await ownership.deregister(host.hostId, host.incarnation);
  await eraseWith({ dynamo, s3 }, row);
  await sessions.remove(row.name, row.incarnation, 1);

  expect(calls.filter(({ action, arn }) => !permits(statements, action, arn))).toEqual([]);
  expect(unneeded('host', statements, calls)).toEqual([]);
  const allowedOf = (service: string) =>
    new Set(statements.flatMap(({ actions }) => actions.filter((action) => action.startsWith(service))));
  const askedOf = (service: string) =>
    new Set(calls.flatMap(({ action }) => (action.startsWith(service) ? [action] : [])));
  expect([...allowedOf('sqs:')].sort()).toEqual([...askedOf('sqs:')].sort());
  expect([...allowedOf('events:')]).toEqual([...askedOf('events:')]);
}, 30_000);

it('a host may delete everything that is stored of a session', async () => {
  const calls: RecordedCall[] = [];
  const { dynamo, s3 } = recordedClients(clients, (call) => calls.push(call));
  const row = sessionRow();
  const messages = new DynamoDbMessageStore(dynamo, tables.messages);
  const chats = new DynamoDbChatStore(dynamo, tables.chats);
  const media = new S3MediaStore(s3, buckets.media);
  const eventLog = new DynamoDbEventLog(dynamo, media, { tableName: tables.eventLog });
  const checkpoints = new S3CheckpointStore(s3, buckets.state);
  await messages.add(row.name, waMessage({ id: '3EB0AAAAAAAAAAAAAAAAAA' }), 1);
  await chats.touch(row.name, '4915100000001@c.us', { id: 'a', timestamp: 1, seq: 1 });
  await eventLog.append([
    eventEnvelope({ event: 'message.any', payload: waMessage({ id: 'AAAAA1' }) }, { session: row.name }),
  ]);
  const webhooks = new DynamoDbWebhookStore(clients.dynamo, tables);
  await webhooks.declare(row.name, 'wh_1', 1, 0);
  await webhooks.setAside({ session: row.name, endpointId: 'wh_1', addedAt: 1 }, [
    untried(eventEnvelope({ event: 'message.any', payload: waMessage({ id: 'AAAAA1' }) }), 1, { chatId: undefined }, 1),
  ]);
  await checkpoints.put(row, 1, 1, Buffer.from('state'));
  // The other rows are written by functions.
  const appended = calls.splice(0).filter(({ action }) => action === 'dynamodb:BatchWriteItem');
  const keys = [
    mediaKey.out(row.name, 'job', 'digest'),
    mediaKey.file(row.name, 'a.jpg'),
    mediaKey.event(row.name, 'e', 1),
  ];
  // What the API has put there.
  for (const key of keys) await new S3MediaStore(clients.s3, buckets.media).put(key, Buffer.from('x'), 'image/jpeg');

  await eraseWith({ dynamo, s3 }, row);

  expect(appended).toHaveLength(1);
  const asked = new Set(calls.map(({ action }) => action));
  expect([...asked]).toEqual(expect.arrayContaining(['s3:DeleteObject', 's3:ListBucket', 'dynamodb:Query']));
  expect([...appended, ...calls].filter(({ action, arn }) => !permits(statements, action, arn))).toEqual([]);
});
