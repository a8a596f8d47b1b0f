import * as z from 'zod';
import { createAwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbApiKeyStore } from '#shared/adapters/dynamodb-api-key-store.ts';
import { createAuthorizer } from './authorizer.ts';

const env = z.object({ S3_PATH_STYLE: z.enum(['true', 'false']).default('false') }).parse(process.env);
const { dynamo } = createAwsClients({ pathStyle: env.S3_PATH_STYLE === 'true' });

export const handler = createAuthorizer({ keys: new DynamoDbApiKeyStore(dynamo) });
