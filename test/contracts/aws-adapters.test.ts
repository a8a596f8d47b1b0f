import { afterAll, beforeAll, describe } from 'vitest';
import { DynamoDbApiKeyStore } from '#shared/adapters/dynamodb-api-key-store.ts';
import { DynamoDbAuditLog } from '#shared/adapters/dynamodb-audit-log.ts';
import { DynamoDbChatStore } from '#shared/adapters/dynamodb-chat-store.ts';
import { DynamoDbEventLog } from '#shared/adapters/dynamodb-event-log.ts';
import { DynamoDbFleetStore } from '#shared/adapters/dynamodb-fleet-store.ts';
import { DynamoDbJobStore } from '#shared/adapters/dynamodb-job-store.ts';
import { DynamoDbJournalStore } from '#shared/adapters/dynamodb-journal-store.ts';
import { DynamoDbMessageStore } from '#shared/adapters/dynamodb-message-store.ts';
import { DynamoDbOwnershipStore } from '#shared/adapters/dynamodb-ownership-store.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { DynamoDbStreamStore } from '#shared/adapters/dynamodb-stream-store.ts';
import { DynamoDbWebhookStore } from '#shared/adapters/dynamodb-webhook-store.ts';
import { EventBridgeEventBus } from '#shared/adapters/event-bridge-event-bus.ts';
import { S3CheckpointStore } from '#shared/adapters/s3-checkpoint-store.ts';
import { S3JournalBodyStore } from '#shared/adapters/s3-journal-body-store.ts';
import { S3MediaStore } from '#shared/adapters/s3-media-store.ts';
import { SqsShardQueue } from '#shared/adapters/sqs-shard-queue.ts';
import { shardMessageSchema } from '#shared/contracts/jobs.ts';
import { TABLES } from '#shared/contracts/resources.ts';
import { defineApiKeyStoreContract } from './api-key-store-contract.ts';
import { defineAuditLogContract } from './audit-log-contract.ts';
import { type AwsBacking, startAwsBacking } from './aws-backing.ts';
import { defineChatStoreContract } from './chat-store-contract.ts';
import { defineCheckpointStoreContract } from './checkpoint-store-contract.ts';
import { EventBridgeStub, envelopeOf } from './event-bridge-stub.ts';
import { defineEventBusContract } from './event-bus-contract.ts';
import { defineEventLogContract } from './event-log-contract.ts';
import { defineFleetStoreContract } from './fleet-store-contract.ts';
import { defineJobStoreContract } from './job-store-contract.ts';
import { defineJournalBodyStoreContract } from './journal-body-store-contract.ts';
import { defineJournalStoreContract } from './journal-store-contract.ts';
import { defineMediaStoreContract } from './media-store-contract.ts';
import { defineMessageStoreContract } from './message-store-contract.ts';
import { defineOwnershipStoreContract } from './ownership-store-contract.ts';
import { refuseWrites } from './refused-writes.ts';
import { defineSessionStoreContract } from './session-store-contract.ts';
import { defineShardQueueContract } from './shard-queue-contract.ts';
import { defineStreamStoreContract } from './stream-store-contract.ts';
import { defineWebhookStoreContract } from './webhook-store-contract.ts';

describe('AWS adapters', () => {
  let aws: AwsBacking;
  let stub: EventBridgeStub;
  beforeAll(async () => {
    [aws, stub] = await Promise.all([startAwsBacking(), EventBridgeStub.start()]);
  });
  afterAll(() => Promise.all([aws?.close(), stub?.close()]));

  const dynamo = async <T>(
    Store: new (client: AwsBacking['clients']['dynamo'], table: string) => T,
    table: string,
  ): Promise<T> => new Store(aws.clients.dynamo, await aws.createTable(table));

  defineSessionStoreContract('DynamoDB', () => dynamo(DynamoDbSessionStore, TABLES.sessions));
  defineJobStoreContract('DynamoDB', () => dynamo(DynamoDbJobStore, TABLES.jobs));
  defineMessageStoreContract('DynamoDB', () => dynamo(DynamoDbMessageStore, TABLES.messages));
  defineChatStoreContract('DynamoDB', () => dynamo(DynamoDbChatStore, TABLES.chats));
  defineApiKeyStoreContract('DynamoDB', () => dynamo(DynamoDbApiKeyStore, TABLES.apiKeys));
  defineAuditLogContract('DynamoDB', () => dynamo(DynamoDbAuditLog, TABLES.audit));
  defineOwnershipStoreContract('DynamoDB', async () => {
    const [hosts, shards] = await Promise.all([aws.createTable(TABLES.hosts), aws.createTable(TABLES.shards)]);
    return new DynamoDbOwnershipStore(aws.clients.dynamo, { hosts, shards });
  });
  defineFleetStoreContract('DynamoDB', () => dynamo(DynamoDbFleetStore, TABLES.fleets));
  defineCheckpointStoreContract('S3', async () => new S3CheckpointStore(aws.clients.s3, await aws.createBucket()));
  defineJournalStoreContract('DynamoDB', () => dynamo(DynamoDbJournalStore, TABLES.journal));
  defineJournalBodyStoreContract('S3', async () => new S3JournalBodyStore(aws.clients.s3, await aws.createBucket()));
  defineMediaStoreContract('S3', async () => new S3MediaStore(aws.clients.s3, await aws.createBucket()));
  defineShardQueueContract('SQS', async () => {
    const [shard, deadLetterQueue] = await Promise.all([aws.createFifoQueue(), aws.createFifoQueue()]);
    return {
      queue: new SqsShardQueue(aws.clients.sqs, { queueName: (name) => name, deadLetterQueue, lastPollMs: 200 }),
      shard,
      buried: async () =>
        (await aws.takeAll(deadLetterQueue)).map(({ body, reason }) => ({
          body: shardMessageSchema.parse(JSON.parse(body)),
          reason,
        })),
      // The server has read the end of a connection when it answers what was asked after it.
      noticed: async () => {
        for (let asked = 0; asked < 2; asked += 1) await aws.takeAll(deadLetterQueue);
      },
    };
  });
  defineStreamStoreContract('DynamoDB', () => dynamo(DynamoDbStreamStore, TABLES.streams));
  defineEventLogContract('DynamoDB', async (clock) => {
    const media = new S3MediaStore(aws.clients.s3, await aws.createBucket());
    const tableName = await aws.createTable(TABLES.eventLog);
    return {
      log: new DynamoDbEventLog(aws.clients.dynamo, media, { tableName, clock, searchedRows: 3 }),
      refuse: (what) =>
        refuseWrites(
          aws.clients.dynamo,
          what === 'call'
            ? what
            : (row) =>
                typeof what === 'object' &&
                row.session === what.session &&
                row.events.some(({ seq }) => seq === what.seq),
        ),
    };
  });
  defineWebhookStoreContract('DynamoDB', async () => {
    const [webhookEndpoints, webhookDeliveries] = await Promise.all([
      aws.createTable(TABLES.webhookEndpoints),
      aws.createTable(TABLES.webhookDeliveries),
    ]);
    return new DynamoDbWebhookStore(aws.clients.dynamo, { webhookEndpoints, webhookDeliveries });
  });
  defineEventBusContract('EventBridge', async () => {
    const media = new S3MediaStore(aws.clients.s3, await aws.createBucket());
    stub.details.length = 0;
    stub.refuse = 'nothing';
    return {
      bus: new EventBridgeEventBus(stub.client, media),
      arrived: () => Promise.all(stub.details.map((detail) => envelopeOf(detail, media))),
      refuse: (what) => {
        stub.refuse = what;
      },
    };
  });
});
