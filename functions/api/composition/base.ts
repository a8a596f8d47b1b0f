import type { AwsClients } from '#shared/adapters/aws-clients.ts';
import { createDynamoDbClient } from '#shared/adapters/dynamodb-client.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { type ResourceNames, resourceNames } from '#shared/contracts/resources.ts';
import { configureLogTags, type Logger } from '#shared/observability/logger.ts';
import type { Clock } from '#shared/ports/clock.ts';
import { createApiLogger } from '../api-logger.ts';
import type { ApiConfig } from '../deps.ts';
import { type ApiEnv, apiConfig, apiEnvSchema } from '../env.ts';

/**
 * What the dependencies of the API's functions are made from. Each part of them is a module of its own, which loads the
 * clients that it needs: a function loads those of the parts that it uses.
 */
export interface ApiBase {
  readonly env: ApiEnv;
  readonly names: ResourceNames;
  readonly config: ApiConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dynamo: AwsClients['dynamo'];
  /** Those that the process has already. */
  readonly clients: Partial<AwsClients>;
}

/**
 * @param environment the process's
 * @param clients where the process has them already
 */
export function createApiBase(
  environment: Readonly<Record<string, string | undefined>>,
  clients: Partial<AwsClients> = {},
): ApiBase {
  const env = apiEnvSchema.parse(environment);
  if (env.LOG_HASH_KEY !== undefined) configureLogTags(env.LOG_HASH_KEY);
  return {
    env,
    names: resourceNames(env),
    config: apiConfig(env, systemClock.now()),
    clock: systemClock,
    logger: createApiLogger(env),
    dynamo: clients.dynamo ?? createDynamoDbClient(),
    clients,
  };
}
