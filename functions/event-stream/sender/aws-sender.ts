import { ApiGatewayStreamSockets } from '#shared/adapters/api-gateway-stream-sockets.ts';
import type { AwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbApiKeyStore } from '#shared/adapters/dynamodb-api-key-store.ts';
import { createDynamoDbClient } from '#shared/adapters/dynamodb-client.ts';
import { DynamoDbEventLog, unreadable } from '#shared/adapters/dynamodb-event-log.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { DynamoDbStreamStore } from '#shared/adapters/dynamodb-stream-store.ts';
import { LazyMediaStore, loadS3MediaStore } from '#shared/adapters/lazy-media-store.ts';
import { createSqsClient } from '#shared/adapters/sqs-client.ts';
import { SqsStreamQueue } from '#shared/adapters/sqs-stream-queue.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { configureLogTags, createLogger } from '#shared/observability/logger.ts';
import { eventStreamEnvSchema } from '../env.ts';
import { createStreamSenderHandler } from './handler.ts';
import { StreamSender } from './sender.ts';

/**
 * What writes to streams, over AWS, for composition roots.
 *
 * @param environment the process's
 * @param clients where the process has them already
 */
export function createAwsStreamSender(
  environment: Readonly<Record<string, string | undefined>>,
  clients?: Pick<AwsClients, 'dynamo' | 'sqs' | 's3'>,
) {
  const env = eventStreamEnvSchema.parse(environment);
  if (env.LOG_HASH_KEY !== undefined) configureLogTags(env.LOG_HASH_KEY);
  const { tables, queues, buckets } = resourceNames(env);
  const { dynamo, sqs } = clients ?? { dynamo: createDynamoDbClient(), sqs: createSqsClient() };
  const media = new LazyMediaStore(
    buckets.media,
    loadS3MediaStore({ pathStyle: env.S3_PATH_STYLE, client: clients?.s3 }),
  );
  const logger = createLogger({ name: 'stream-sender', level: env.LOG_LEVEL });
  const sender = new StreamSender({
    log: new DynamoDbEventLog(dynamo, media, { tableName: tables.eventLog, onUnreadable: unreadable(logger) }),
    streams: new DynamoDbStreamStore(dynamo, tables.streams),
    queue: new SqsStreamQueue(sqs, queues),
    sockets: new ApiGatewayStreamSockets(env.AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI),
    keys: new DynamoDbApiKeyStore(dynamo, tables.apiKeys),
    sessions: new DynamoDbSessionStore(dynamo, tables.sessions),
    media,
    clock: systemClock,
    logger,
  });
  return createStreamSenderHandler({ sender, logger });
}
