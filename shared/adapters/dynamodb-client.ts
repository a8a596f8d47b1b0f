import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { connections, retries } from './client-settings.ts';

export function createDynamoDbClient(): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient({ ...retries, requestHandler: connections(5_000) }), {
    marshallOptions: { removeUndefinedValues: true },
  });
}
