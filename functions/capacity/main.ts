import middy from '@middy/core';
import type { ScheduledEvent, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createDynamoDbClient } from '#shared/adapters/dynamodb-client.ts';
import { createEcsClient, EcsHostLauncher } from '#shared/adapters/ecs-host-launcher.ts';
import { createAwsCapacity } from './aws-capacity.ts';
import { ecsEnvSchema } from './env.ts';

const launcher = process.env.ECS_CLUSTER === undefined ? undefined : ecsLauncher();

/** Entry point of the function. */
export const handler = middy<SQSEvent | ScheduledEvent, SQSBatchResponse>().handler(
  createAwsCapacity(process.env, { dynamo: createDynamoDbClient() }, launcher),
);

function ecsLauncher(): EcsHostLauncher {
  const env = ecsEnvSchema.parse(process.env);
  return new EcsHostLauncher(createEcsClient(), {
    cluster: env.ECS_CLUSTER,
    services: {
      socket: env.ECS_SOCKET_SERVICE,
      ...(env.ECS_BROWSER_SERVICE !== undefined && { browser: env.ECS_BROWSER_SERVICE }),
    },
  });
}
