import { createIdentifyKey } from '#functions/authorizer/identify-key.ts';
import { createNoteUse } from '#functions/authorizer/last-used.ts';
import type { AwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbApiKeyStore } from '#shared/adapters/dynamodb-api-key-store.ts';
import { createDynamoDbClient } from '#shared/adapters/dynamodb-client.ts';
import { DynamoDbEventSeqs } from '#shared/adapters/dynamodb-event-seqs.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { DynamoDbStreamStore } from '#shared/adapters/dynamodb-stream-store.ts';
import { createSqsClient } from '#shared/adapters/sqs-client.ts';
import { SqsStreamQueue } from '#shared/adapters/sqs-stream-queue.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { createLogger } from '#shared/observability/logger.ts';
import type { ReadPepper } from '#shared/ports/read-pepper.ts';
import { eventStreamEnvSchema } from '../env.ts';
import { createStreamConnections } from './connections.ts';

/**
 * What opens streams, over AWS, for composition roots.
 *
 * @param environment the process's
 * @param readPepper under which keys are hashed
 * @param clients where the process has them already
 */
export function createAwsStreamConnections(
  environment: Readonly<Record<string, string | undefined>>,
  readPepper: ReadPepper,
  clients?: Pick<AwsClients, 'dynamo' | 'sqs'>,
) {
  const env = eventStreamEnvSchema.parse(environment);
  const { tables, queues } = resourceNames(env);
  const { dynamo, sqs } = clients ?? { dynamo: createDynamoDbClient(), sqs: createSqsClient() };
  const keys = new DynamoDbApiKeyStore(dynamo, tables.apiKeys);
  const logger = createLogger({ name: 'stream-connections', level: env.LOG_LEVEL });
  return createStreamConnections({
    identify: createIdentifyKey({
      keys,
      sessions: new DynamoDbSessionStore(dynamo, tables.sessions),
      readPepper,
      clock: systemClock,
    }),
    noteUse: createNoteUse({ keys, clock: systemClock, logger }),
    seqs: new DynamoDbEventSeqs(dynamo, tables.eventLog),
    streams: new DynamoDbStreamStore(dynamo, tables.streams),
    queue: new SqsStreamQueue(sqs, queues),
    clock: systemClock,
  });
}
