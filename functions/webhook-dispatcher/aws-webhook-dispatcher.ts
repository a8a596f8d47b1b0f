import type { AwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbEventLog, unreadable } from '#shared/adapters/dynamodb-event-log.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { DynamoDbWebhookStore } from '#shared/adapters/dynamodb-webhook-store.ts';
import { EventBridgeWebhookNotices } from '#shared/adapters/event-bridge-webhook-notices.ts';
import { GuardedWebhookSender } from '#shared/adapters/guarded-webhook-sender.ts';
import { LazyMediaStore, loadS3MediaStore } from '#shared/adapters/lazy-media-store.ts';
import { SqsWebhookQueue } from '#shared/adapters/sqs-webhook-queue.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { compileTextPattern } from '#shared/adapters/text-pattern.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { globalWebhook } from '#shared/contracts/webhooks.ts';
import { configureLogTags, createLogger } from '#shared/observability/logger.ts';
import { createMetrics } from '#shared/observability/metrics.ts';
import { webhookDispatcherEnvSchema } from './env.ts';
import { createWebhookDispatcherHandler } from './handler.ts';

/** A try takes 15 seconds at most, and the function has 25. */
const BUDGET_MS = 6_000;
/** Two pages of DynamoDB. */
const MOST_HELD = 5_000;

/**
 * The dispatcher of webhooks over AWS, for composition roots.
 *
 * @param environment the process's
 */
export function createAwsWebhookDispatcher(
  environment: Readonly<Record<string, string | undefined>>,
  {
    dynamo,
    sqs,
    eventBridge,
    s3,
  }: Pick<AwsClients, 'dynamo' | 'sqs' | 'eventBridge'> & Partial<Pick<AwsClients, 's3'>>,
) {
  const env = webhookDispatcherEnvSchema.parse(environment);
  if (env.LOG_HASH_KEY !== undefined) configureLogTags(env.LOG_HASH_KEY);
  const { prefix, tables, queues, buckets, bus } = resourceNames(env);
  const media = new LazyMediaStore(buckets.media, loadS3MediaStore({ pathStyle: env.S3_PATH_STYLE, client: s3 }));
  const logger = createLogger({ name: 'webhook-dispatcher', level: env.LOG_LEVEL });
  const queue = new SqsWebhookQueue(sqs, { queues });
  return createWebhookDispatcherHandler({
    sessions: new DynamoDbSessionStore(dynamo, tables.sessions),
    compileTextPattern,
    store: new DynamoDbWebhookStore(dynamo, tables),
    log: new DynamoDbEventLog(dynamo, media, { tableName: tables.eventLog, onUnreadable: unreadable(logger) }),
    queue,
    wakes: queue,
    sender: new GuardedWebhookSender({ allowPrivateHosts: env.WEBHOOK_ALLOW_PRIVATE_HOSTS }),
    notices: new EventBridgeWebhookNotices(eventBridge, bus),
    global: globalWebhook(env),
    clock: systemClock,
    random: Math.random,
    userAgent: `Trunkline/${env.TRUNKLINE_VERSION}`,
    budgetMs: BUDGET_MS,
    mostHeld: MOST_HELD,
    metrics: createMetrics({ namespace: prefix, mode: env.METRICS }),
    logger,
  });
}
