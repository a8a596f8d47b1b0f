import type { AwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbApiKeyStore } from '#shared/adapters/dynamodb-api-key-store.ts';
import { DynamoDbAuditLog } from '#shared/adapters/dynamodb-audit-log.ts';
import { DynamoDbChatStore } from '#shared/adapters/dynamodb-chat-store.ts';
import { createDynamoDbClient } from '#shared/adapters/dynamodb-client.ts';
import { DynamoDbEventLog, unreadable } from '#shared/adapters/dynamodb-event-log.ts';
import { DynamoDbJobStore } from '#shared/adapters/dynamodb-job-store.ts';
import { DynamoDbMessageStore } from '#shared/adapters/dynamodb-message-store.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { DynamoDbWebhookStore } from '#shared/adapters/dynamodb-webhook-store.ts';
import { createEventBridgeClient } from '#shared/adapters/event-bridge-client.ts';
import { EventBridgeSessionSignals } from '#shared/adapters/event-bridge-session-signals.ts';
import { LazyMediaStore, loadS3MediaStore } from '#shared/adapters/lazy-media-store.ts';
import { createSqsClient } from '#shared/adapters/sqs-client.ts';
import { SqsShardQueue } from '#shared/adapters/sqs-shard-queue.ts';
import { SqsWebhookQueue } from '#shared/adapters/sqs-webhook-queue.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { configureLogTags } from '#shared/observability/logger.ts';
import { createApiLogger } from './api-logger.ts';
import type { ApiDeps } from './deps.ts';
import { apiConfig, apiEnvSchema } from './env.ts';
import { createSignedCaller } from './signed-caller.ts';
import { createBacklog } from './use-cases/backlog.ts';

/**
 * The dependencies of the API over AWS, for the composition roots of its functions.
 *
 * @param environment the process's
 * @param clients where the process has them already
 */
export function createAwsApiDeps(
  environment: Readonly<Record<string, string | undefined>>,
  clients?: Pick<AwsClients, 'dynamo' | 'eventBridge' | 's3' | 'sqs'>,
): ApiDeps {
  const env = apiEnvSchema.parse(environment);
  if (env.LOG_HASH_KEY !== undefined) configureLogTags(env.LOG_HASH_KEY);
  const { dynamo, eventBridge, sqs } = clients ?? {
    dynamo: createDynamoDbClient(),
    eventBridge: createEventBridgeClient(),
    sqs: createSqsClient(),
  };
  const names = resourceNames(env);
  const config = apiConfig(env, systemClock.now());
  const logger = createApiLogger(env);
  const jobs = new DynamoDbJobStore(dynamo, names.tables.jobs);
  const queue = new SqsShardQueue(sqs, { queueName: names.shardQueue, deadLetterQueue: names.queues.shardDeadLetters });
  const media = new LazyMediaStore(
    names.buckets.media,
    loadS3MediaStore({ pathStyle: env.S3_PATH_STYLE, client: clients?.s3 }),
  );
  const sessions = new DynamoDbSessionStore(dynamo, names.tables.sessions);
  const keys = new DynamoDbApiKeyStore(dynamo, names.tables.apiKeys);
  return {
    sessions,
    keys,
    signedCaller: createSignedCaller({ keys, sessions, clock: systemClock }),
    audit: new DynamoDbAuditLog(dynamo, names.tables.audit, config.auditDays),
    jobs,
    queue,
    signals: new EventBridgeSessionSignals(eventBridge, names.bus),
    backlog: createBacklog({ jobs, queue, clock: systemClock, config }),
    messages: new DynamoDbMessageStore(dynamo, names.tables.messages),
    chats: new DynamoDbChatStore(dynamo, names.tables.chats),
    media,
    webhooks: new DynamoDbWebhookStore(dynamo, names.tables),
    webhookQueue: new SqsWebhookQueue(sqs, { queues: names.queues }),
    eventLog: new DynamoDbEventLog(dynamo, media, {
      tableName: names.tables.eventLog,
      onUnreadable: unreadable(logger),
    }),
    clock: systemClock,
    logger,
    config,
  };
}
