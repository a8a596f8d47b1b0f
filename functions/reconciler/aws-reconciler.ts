import type { AwsClients } from '#shared/adapters/aws-clients.ts';
import { createDynamoDbClient } from '#shared/adapters/dynamodb-client.ts';
import { DynamoDbJobStore } from '#shared/adapters/dynamodb-job-store.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { createSqsClient } from '#shared/adapters/sqs-client.ts';
import { streamDeadLetters, webhookDeadLetters } from '#shared/adapters/sqs-dead-letters.ts';
import { SqsShardQueue } from '#shared/adapters/sqs-shard-queue.ts';
import { SqsStreamQueue } from '#shared/adapters/sqs-stream-queue.ts';
import { SqsWebhookQueue } from '#shared/adapters/sqs-webhook-queue.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { configureLogTags, createLogger } from '#shared/observability/logger.ts';
import { createMetrics } from '#shared/observability/metrics.ts';
import { reconcilerConfig, reconcilerEnvSchema } from './env.ts';
import { createReconcilerHandler } from './handler.ts';
import { createReconciler } from './reconciler.ts';

/**
 * The reconciler over AWS, for composition roots.
 *
 * @param environment the process's
 * @param clients where the process has them already
 */
export function createAwsReconciler(
  environment: Readonly<Record<string, string | undefined>>,
  clients?: Pick<AwsClients, 'dynamo' | 'sqs'>,
) {
  const env = reconcilerEnvSchema.parse(environment);
  if (env.LOG_HASH_KEY !== undefined) configureLogTags(env.LOG_HASH_KEY);
  const { shards, policy } = reconcilerConfig(env);
  const names = resourceNames(env);
  const { dynamo, sqs } = clients ?? { dynamo: createDynamoDbClient(), sqs: createSqsClient() };
  const reconcile = createReconciler({
    jobs: new DynamoDbJobStore(dynamo, names.tables.jobs),
    sessions: new DynamoDbSessionStore(dynamo, names.tables.sessions),
    queue: new SqsShardQueue(sqs, { queueName: names.shardQueue, deadLetterQueue: names.queues.shardDeadLetters }),
    clock: systemClock,
    policy,
  });
  const { queues } = names;
  const deadLetters = {
    webhooks: webhookDeadLetters(sqs, new SqsWebhookQueue(sqs, { queues }), queues),
    streams: streamDeadLetters(sqs, new SqsStreamQueue(sqs, queues), queues),
  };
  const logger = createLogger({ name: 'reconciler', level: env.LOG_LEVEL });
  const metrics = createMetrics({ namespace: names.prefix, mode: env.METRICS });
  return createReconcilerHandler({ reconcile, shards, deadLetters, clock: systemClock, metrics, logger });
}
