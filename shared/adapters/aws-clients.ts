import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createDynamoDbClient } from './dynamodb-client.ts';
import { createEventBridgeClient } from './event-bridge-client.ts';
import { createS3Client } from './s3-client.ts';
import { createSqsClient } from './sqs-client.ts';

export interface AwsClients {
  readonly dynamo: DynamoDBDocumentClient;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  readonly eventBridge: EventBridgeClient;
}

export interface AwsClientOptions {
  /** Puts the bucket into the path instead of the host name, as S3 on one address needs it. */
  readonly pathStyle: boolean;
}

const HEARTBEAT_TIMEOUT_MS = 1_000;

/** The SDK's clients, one of each for a process that needs them all; functions load those that they use. Region, credentials and endpoints come from the environment. */
export function createAwsClients({ pathStyle }: AwsClientOptions): AwsClients {
  return {
    dynamo: createDynamoDbClient(),
    sqs: createSqsClient(),
    s3: createS3Client(pathStyle),
    eventBridge: createEventBridgeClient(),
  };
}

/**
 * A client for nothing but heartbeats: an answer that takes longer than a second comes too late, and instead of a
 * repetition there is the next heartbeat.
 */
export function createHeartbeatClient(): DynamoDBDocumentClient {
  const requestHandler = {
    connectionTimeout: HEARTBEAT_TIMEOUT_MS,
    requestTimeout: HEARTBEAT_TIMEOUT_MS,
    throwOnRequestTimeout: true,
  };
  return DynamoDBDocumentClient.from(new DynamoDBClient({ maxAttempts: 1, requestHandler }));
}

/** Closes the clients' connections. */
export function destroyAwsClients(clients: AwsClients): void {
  for (const client of Object.values(clients)) client.destroy();
}
