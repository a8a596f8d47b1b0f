import type { AwsClients } from '#shared/adapters/aws-clients.ts';
import { createDynamoDbClient } from '#shared/adapters/dynamodb-client.ts';
import { DynamoDbStreamStore } from '#shared/adapters/dynamodb-stream-store.ts';
import { createSqsClient } from '#shared/adapters/sqs-client.ts';
import { SqsStreamQueue } from '#shared/adapters/sqs-stream-queue.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { configureLogTags, createLogger } from '#shared/observability/logger.ts';
import { eventStreamEnvSchema } from '../env.ts';
import { createStreamFanout } from './fanout.ts';

/**
 * What wakes streams, over AWS, for composition roots.
 *
 * @param environment the process's
 * @param clients where the process has them already
 */
export function createAwsStreamFanout(
  environment: Readonly<Record<string, string | undefined>>,
  clients?: Pick<AwsClients, 'dynamo' | 'sqs'>,
) {
  const env = eventStreamEnvSchema.parse(environment);
  if (env.LOG_HASH_KEY !== undefined) configureLogTags(env.LOG_HASH_KEY);
  const { tables, queues } = resourceNames(env);
  const { dynamo, sqs } = clients ?? { dynamo: createDynamoDbClient(), sqs: createSqsClient() };
  return createStreamFanout({
    streams: new DynamoDbStreamStore(dynamo, tables.streams),
    queue: new SqsStreamQueue(sqs, queues),
    logger: createLogger({ name: 'stream-fanout', level: env.LOG_LEVEL }),
  });
}
