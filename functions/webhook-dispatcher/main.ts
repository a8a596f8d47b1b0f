import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createDynamoDbClient } from '#shared/adapters/dynamodb-client.ts';
import { createEventBridgeClient } from '#shared/adapters/event-bridge-client.ts';
import { createSqsClient } from '#shared/adapters/sqs-client.ts';
import { createAwsWebhookDispatcher } from './aws-webhook-dispatcher.ts';

const clients = { dynamo: createDynamoDbClient(), sqs: createSqsClient(), eventBridge: createEventBridgeClient() };

/** Entry point of the function. */
export const handler = middy<SQSEvent, SQSBatchResponse>().handler(createAwsWebhookDispatcher(process.env, clients));
