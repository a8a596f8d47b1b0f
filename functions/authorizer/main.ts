import { createAwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbApiKeyStore } from '#shared/adapters/dynamodb-api-key-store.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { createAuthorizer } from './authorizer.ts';
import { authorizerEnvSchema, usagePlansOf } from './env.ts';

const env = authorizerEnvSchema.parse(process.env);
const { dynamo } = createAwsClients({ pathStyle: false });

/** Entry point of the function. */
export const handler = createAuthorizer({
  keys: new DynamoDbApiKeyStore(dynamo, resourceNames(env).tables.apiKeys),
  usagePlans: usagePlansOf(env),
});
