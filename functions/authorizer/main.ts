import { DynamoDbApiKeyStore } from '#shared/adapters/dynamodb-api-key-store.ts';
import { createDynamoDbClient } from '#shared/adapters/dynamodb-client.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { createSecretPepperReader } from '#shared/adapters/secret-pepper-reader.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { createLogger } from '#shared/observability/logger.ts';
import { createAuthorizer } from './authorizer.ts';
import { authorizerEnvSchema, usagePlansOf } from './env.ts';
import { createIdentifyKey } from './identify-key.ts';
import { createNoteUse } from './last-used.ts';

const env = authorizerEnvSchema.parse(process.env);
const dynamo = createDynamoDbClient();
const { tables } = resourceNames(env);
const keys = new DynamoDbApiKeyStore(dynamo, tables.apiKeys);

/** Entry point of the function. */
export const handler = createAuthorizer({
  identify: createIdentifyKey({
    keys,
    sessions: new DynamoDbSessionStore(dynamo, tables.sessions),
    readPepper: createSecretPepperReader(process.env),
    clock: systemClock,
  }),
  noteUse: createNoteUse({
    keys,
    clock: systemClock,
    logger: createLogger({ name: 'authorizer', level: env.LOG_LEVEL }),
  }),
  usagePlans: usagePlansOf(env),
});
