import type { AwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { SqsWebhookQueue } from '#shared/adapters/sqs-webhook-queue.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { globalWebhook } from '#shared/contracts/webhooks.ts';
import { configureLogTags, createLogger } from '#shared/observability/logger.ts';
import { webhookFanoutEnvSchema } from './env.ts';
import { createWebhookFanoutHandler } from './handler.ts';
import { SessionInterest } from './interest.ts';

/**
 * The fan-out of webhooks over AWS, for composition roots.
 *
 * @param environment the process's
 */
export function createAwsWebhookFanout(
  environment: Readonly<Record<string, string | undefined>>,
  { dynamo, sqs }: Pick<AwsClients, 'dynamo' | 'sqs'>,
) {
  const env = webhookFanoutEnvSchema.parse(environment);
  if (env.LOG_HASH_KEY !== undefined) configureLogTags(env.LOG_HASH_KEY);
  const { tables, queues } = resourceNames(env);
  const sessions = new DynamoDbSessionStore(dynamo, tables.sessions);
  return createWebhookFanoutHandler({
    interest: new SessionInterest(sessions, globalWebhook(env), systemClock),
    queue: new SqsWebhookQueue(sqs, { queues }),
    clock: systemClock,
    logger: createLogger({ name: 'webhook-fanout', level: env.LOG_LEVEL }),
  });
}
