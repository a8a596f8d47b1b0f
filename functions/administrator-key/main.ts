import * as z from 'zod';
import { DynamoDbApiKeyStore } from '#shared/adapters/dynamodb-api-key-store.ts';
import { createDynamoDbClient } from '#shared/adapters/dynamodb-client.ts';
import { createSecretPepperReader } from '#shared/adapters/secret-pepper-reader.ts';
import { createSecretReader } from '#shared/adapters/secrets-manager.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { resourceNames, resourceNamesEnv } from '#shared/contracts/resources.ts';
import { createAdministratorKey } from './administrator-key.ts';

const env = z
  .object({
    ...resourceNamesEnv,
    /** ARN of the secret that holds the key. */
    ADMINISTRATOR_KEY_SECRET: z.string().min(1),
  })
  .parse(process.env);
const dynamo = createDynamoDbClient();
const readSecret = createSecretReader();

/** Entry point of the function; it is called when the stack has been made or changed. */
export const handler = createAdministratorKey({
  keys: new DynamoDbApiKeyStore(dynamo, resourceNames(env).tables.apiKeys),
  readKey: () => readSecret(env.ADMINISTRATOR_KEY_SECRET),
  readPepper: createSecretPepperReader(process.env),
  clock: systemClock,
});
