import type { AwsClients } from '#shared/adapters/aws-clients.ts';
import { DynamoDbFleetStore } from '#shared/adapters/dynamodb-fleet-store.ts';
import { DynamoDbOwnershipStore } from '#shared/adapters/dynamodb-ownership-store.ts';
import { DynamoDbSessionStore } from '#shared/adapters/dynamodb-session-store.ts';
import { systemClock } from '#shared/adapters/system-clock.ts';
import { resourceNames } from '#shared/contracts/resources.ts';
import { configureLogTags, createLogger } from '#shared/observability/logger.ts';
import { createMetrics } from '#shared/observability/metrics.ts';
import type { HostLauncher } from '#shared/ports/host-launcher.ts';
import { createCapacity } from './capacity.ts';
import { capacityEnvSchema, fleetPools } from './env.ts';
import { createCapacityHandler } from './handler.ts';

/**
 * The capacity function over DynamoDB, for composition roots.
 *
 * @param environment the process's
 * @param launcher undefined where the number of hosts is fixed
 */
export function createAwsCapacity(
  environment: Readonly<Record<string, string | undefined>>,
  { dynamo }: Pick<AwsClients, 'dynamo'>,
  launcher: HostLauncher | undefined,
) {
  const env = capacityEnvSchema.parse(environment);
  if (env.LOG_HASH_KEY !== undefined) configureLogTags(env.LOG_HASH_KEY);
  const { prefix, tables } = resourceNames(env);
  const logger = createLogger({ name: 'capacity', level: env.LOG_LEVEL });
  const capacity = createCapacity({
    ownership: new DynamoDbOwnershipStore(dynamo, tables),
    sessions: new DynamoDbSessionStore(dynamo, tables.sessions),
    fleets: new DynamoDbFleetStore(dynamo, tables.fleets),
    launcher,
    pools: fleetPools(env),
    clock: systemClock,
    metrics: createMetrics({ namespace: prefix, mode: env.METRICS }),
    logger,
  });
  return createCapacityHandler({ capacity, logger });
}
