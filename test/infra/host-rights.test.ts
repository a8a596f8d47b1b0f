import { afterAll, beforeAll, expect, it } from 'vitest';
import { ManualLease } from '#engine-host/host/manual-lease.ts';
import { eraseSession } from '#engine-host/sessions/erase-session.ts';
import { untried } from '#functions/webhook-dispatcher/tried-event.ts';
import { type LocalCloud, startLocalCloud } from '#localstack/embedded/local-cloud.ts';
import { type AwsClients, createAwsClients, destroyAwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbChatStore } from '#shared/adapters/dynamodb-chat-store.ts';
import { DynamoDbEventLog } from '#shared/adapters/dynamodb-event-log.ts';
import { DynamoDbJournalStore } from '#shared/adapters/dynamodb-journal-store.ts';
import { DynamoDbMessageStore } from '#shared/adapters/dynamodb-message-store.ts';
import { DynamoDbWebhookStore } from '#shared/adapters/dynamodb-webhook-store.ts';
import { DynamoDbWrappedKeyStore } from '#shared/adapters/dynamodb-wrapped-key-store.ts';
import { createKmsClient } from '#shared/adapters/kms-client.ts';
import { KmsDataKeys } from '#shared/adapters/kms-data-keys.ts';
import { S3CheckpointStore } from '#shared/adapters/s3-checkpoint-store.ts';
import { S3JournalBodyStore } from '#shared/adapters/s3-journal-body-store.ts';
import { S3MediaStore } from '#shared/adapters/s3-media-store.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { mediaKey } from '#shared/contracts/media-keys.ts';
import { resourceDefinition, resourceNames } from '#shared/contracts/resources.ts';
import { eventEnvelope } from '../contracts/events.ts';
import { sessionRow, waMessage } from '../contracts/rows.ts';
import { allowedBy, permits } from './support/policies.ts';
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
afterAll(async () => {
  destroyAwsClients(clients);
  await cloud.stop();
  process.env = before;
});

it('a host may delete everything that is stored of a session', async () => {
  const calls: RecordedCall[] = [];
  const { dynamo, s3 } = recordedClients(clients, (call) => calls.push(call));
  const row = sessionRow();
  const messages = new DynamoDbMessageStore(dynamo, tables.messages);
  const chats = new DynamoDbChatStore(dynamo, tables.chats);
  const media = new S3MediaStore(s3, buckets.media);
  const eventLog = new DynamoDbEventLog(dynamo, media, { tableName: tables.eventLog });
  const checkpoints = new S3CheckpointStore(s3, buckets.state);
  const journalBodies = new S3JournalBodyStore(s3, buckets.state);
  await messages.add(row.name, waMessage({ id: '3EB0AAAAAAAAAAAAAAAAAA' }), 1);
  await chats.touch(row.name, '4915100000001@c.us', { id: 'a', timestamp: 1, seq: 1 });
  await eventLog.append([
    eventEnvelope({ event: 'message.any', payload: waMessage({ id: 'AAAAA1' }) }, { session: row.name }),
  ]);
  const webhooks = new DynamoDbWebhookStore(clients.dynamo, tables);
  await webhooks.declare(row.name, 'wh_1', 1, 0);
  await webhooks.setAside({ session: row.name, endpointId: 'wh_1', addedAt: 1 }, [
    untried(eventEnvelope({ event: 'message.any', payload: waMessage({ id: 'AAAAA1' }) }), 1, undefined, 1),
  ]);
  await checkpoints.put(row, 1, 1, Buffer.from('state'));
  // The other rows are written by functions.
  const appended = calls.splice(0).filter(({ action }) => action === 'dynamodb:BatchWriteItem');
  const keys = [
    mediaKey.out(row.name, 'job', 'digest'),
    mediaKey.file(row.name, 'a.jpg'),
    mediaKey.event(row.name, 'e'),
  ];
  // What the API has put there.
  for (const key of keys) await new S3MediaStore(clients.s3, buckets.media).put(key, Buffer.from('x'), 'image/jpeg');

  const kms = createKmsClient();
  const wrappedKeys = new DynamoDbWrappedKeyStore(dynamo, tables.dataKeys);
  const stores = {
    readModels: [messages, chats, new DynamoDbWebhookStore(dynamo, tables)],
    eventLog,
    media,
    checkpoints,
    journal: new DynamoDbJournalStore(dynamo, tables.journal),
    journalBodies,
    dataKeys: new KmsDataKeys({ kms, keyId: 'not asked for', wrappedKeys, clock: systemClock }),
  };
  await eraseSession(row, new ManualLease(), stores, (error) => {
    throw error;
  });

  expect(appended).toHaveLength(1);
  const asked = new Set(calls.map(({ action }) => action));
  expect([...asked]).toEqual(expect.arrayContaining(['s3:DeleteObject', 's3:ListBucket', 'dynamodb:Query']));
  expect([...appended, ...calls].filter(({ action, arn }) => !permits(statements, action, arn))).toEqual([]);
});
