import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { ResourceClients } from './resource-creation.ts';

/** What a process needs in its environment to use a cloud: endpoints, region, credentials, S3_PATH_STYLE, RESOURCE_PREFIX. */
export type CloudEnvironment = Readonly<Record<string, string>>;

/** Clients of the cloud that `env` describes, whatever the environment of this process says. */
export function createClients(env: CloudEnvironment): ResourceClients {
  return {
    sqs: createSqsClient(env),
    dynamodb: new DynamoDBClient(at(env, 'DYNAMODB')),
    s3: new S3Client({ ...at(env, 'S3'), forcePathStyle: env.S3_PATH_STYLE === 'true' }),
    eventBridge: new EventBridgeClient(at(env, 'EVENTBRIDGE')),
  };
}

export function createSqsClient(env: CloudEnvironment): SQSClient {
  return new SQSClient({ ...at(env, 'SQS'), useQueueUrlAsEndpoint: false });
}

function at(env: CloudEnvironment, service: 'DYNAMODB' | 'SQS' | 'S3' | 'EVENTBRIDGE') {
  const endpoint = env[`AWS_ENDPOINT_URL_${service}`] ?? env.AWS_ENDPOINT_URL;
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  const sessionToken = env.AWS_SESSION_TOKEN;
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    // Without keys in it the SDK looks where it always looks: a profile, a role.
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }),
  };
}
