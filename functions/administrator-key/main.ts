import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { DynamoDbApiKeyStore } from '#shared/adapters/dynamodb-api-key-store.ts';
import { DynamoDbAuditLog } from '#shared/adapters/dynamodb-audit-log.ts';
import { createDynamoDbClient } from '#shared/adapters/dynamodb-client.ts';
import { createSecretPepperReader } from '#shared/adapters/secret-pepper-reader.ts';
import { createSecretReader } from '#shared/adapters/secrets-manager.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { AUDIT_DAYS } from '#shared/contracts/audit.ts';
import { resourceNames, resourceNamesEnv } from '#shared/contracts/resources.ts';
import { createAdministratorKey } from './administrator-key.ts';

const env = z
  .object({
    ...resourceNamesEnv,
    /** ARN of the secret that holds the key. */
    ADMINISTRATOR_KEY_SECRET: z.string().min(1),
    AUDIT_DAYS: z.coerce.number().int().min(1).default(AUDIT_DAYS),
  })
  .parse(process.env);
const dynamo = createDynamoDbClient();
const { tables } = resourceNames(env);
const readSecret = createSecretReader();

const letIn = createAdministratorKey({
  keys: new DynamoDbApiKeyStore(dynamo, tables.apiKeys),
  audit: new DynamoDbAuditLog(dynamo, tables.audit, env.AUDIT_DAYS),
  readKey: () => readSecret(env.ADMINISTRATOR_KEY_SECRET),
  readPepper: createSecretPepperReader(process.env),
  clock: systemClock,
});

/** Entry point of the function; it is called when the stack has been made or changed. */
export const handler = (_event: unknown, { awsRequestId }: Context): Promise<void> => letIn(awsRequestId);
