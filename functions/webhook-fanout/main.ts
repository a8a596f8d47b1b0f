import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createDynamoDbClient } from '#shared/adapters/dynamodb-client.ts';
import { createSqsClient } from '#shared/adapters/sqs-client.ts';
import { createAwsWebhookFanout } from './aws-webhook-fanout.ts';

const clients = { dynamo: createDynamoDbClient(), sqs: createSqsClient() };

/** Entry point of the function. */
export const handler = middy<SQSEvent, SQSBatchResponse>().handler(createAwsWebhookFanout(process.env, clients));
