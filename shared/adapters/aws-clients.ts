import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

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

const MAX_SOCKETS = 256;
const CONNECTION_TIMEOUT_MS = 2_000;
const ATTEMPTS = 4;

export const retries = { maxAttempts: ATTEMPTS, retryMode: 'standard' };

/** @param requestTimeout milliseconds */
export const connections = (requestTimeout: number) => {
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
  return {
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout,
    throwOnRequestTimeout: true,
    httpAgent: agent,
    httpsAgent: agent,
  };
};

/** The SDK's clients, one of each for a process. Region, credentials and endpoints come from the environment. */
export function createAwsClients({ pathStyle }: AwsClientOptions): AwsClients {
  return {
    dynamo: DynamoDBDocumentClient.from(new DynamoDBClient({ ...retries, requestHandler: connections(5_000) }), {
      marshallOptions: { removeUndefinedValues: true },
    }),
    // A long poll is silent for 20 s. Queue URLs of a local queue name a host that need not resolve.
    sqs: new SQSClient({ ...retries, requestHandler: connections(30_000), useQueueUrlAsEndpoint: false }),
    s3: new S3Client({ ...retries, requestHandler: connections(60_000), forcePathStyle: pathStyle }),
    eventBridge: new EventBridgeClient({ ...retries, requestHandler: connections(10_000) }),
  };
}

/** Closes the clients' connections. */
export function destroyAwsClients(clients: AwsClients): void {
  for (const client of Object.values(clients)) client.destroy();
}
