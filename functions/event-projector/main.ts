import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { DynamoDbChatStore } from '#shared/adapters/dynamodb-chat-store.ts';
import { createDynamoDbClient } from '#shared/adapters/dynamodb-client.ts';
import { DynamoDbMessageStore } from '#shared/adapters/dynamodb-message-store.ts';
import { createUnpackEvent } from '#shared/adapters/event-detail.ts';
import { LazyMediaStore, loadS3MediaStore } from '#shared/adapters/lazy-media-store.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { configureLogTags, createLogger } from '#shared/observability/logger.ts';
import { eventProjectorEnvSchema } from './env.ts';
import { createEventProjectorHandler } from './handler.ts';

const env = eventProjectorEnvSchema.parse(process.env);
if (env.LOG_HASH_KEY !== undefined) configureLogTags(env.LOG_HASH_KEY);
const names = resourceNames(env);
const dynamo = createDynamoDbClient();
const media = new LazyMediaStore(names.buckets.media, loadS3MediaStore({ pathStyle: env.S3_PATH_STYLE }));

/** Entry point of the function. */
export const handler = middy<SQSEvent, SQSBatchResponse>().handler(
  createEventProjectorHandler({
    messages: new DynamoDbMessageStore(dynamo, names.tables.messages),
    chats: new DynamoDbChatStore(dynamo, names.tables.chats),
    unpackEvent: createUnpackEvent(media),
    logger: createLogger({ name: 'event-projector', level: env.LOG_LEVEL }),
  }),
);
