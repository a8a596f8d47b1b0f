import { DynamoDbApiKeyStore } from '#shared/adapters/dynamodb-api-key-store.ts';
import { createDynamoDbClient } from '#shared/adapters/dynamodb-client.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { createAuthorizer } from './authorizer.ts';
import { authorizerEnvSchema, usagePlansOf } from './env.ts';

const env = authorizerEnvSchema.parse(process.env);
const dynamo = createDynamoDbClient();

/** Entry point of the function. */
export const handler = createAuthorizer({
  keys: new DynamoDbApiKeyStore(dynamo, resourceNames(env).tables.apiKeys),
  usagePlans: usagePlansOf(env),
});
