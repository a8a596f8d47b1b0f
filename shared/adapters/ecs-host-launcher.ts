import { DescribeServicesCommand, ECSClient, type Service, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import type { Pool } from '../contracts/resources.ts';
import { DependencyError } from '../domain/errors.ts';
import type { HostCount, HostLauncher } from '../ports/host-launcher.ts';
import { dependencyError } from './aws-errors.ts';
import { connections, retries } from './client-settings.ts';

export interface EcsServices {
  /** Name or ARN. */
  readonly cluster: string;
  /** Names or ARNs of the pools' services. */
  readonly services: Readonly<Partial<Record<Pool, string>>>;
}

/** A client of its own, not one of `createAwsClients`: only the capacity function loads it. */
export function createEcsClient(): ECSClient {
  return new ECSClient({ ...retries, requestHandler: connections(5_000) });
}

/** Hosts as tasks of ECS services, one service for each pool. */
export class EcsHostLauncher implements HostLauncher {
  readonly #client: ECSClient;
  readonly #places: EcsServices;

  constructor(client: ECSClient, places: EcsServices) {
    this.#client = client;
    this.#places = places;
  }

  async count(pool: Pool): Promise<HostCount> {
    const { desiredCount = 0, runningCount = 0 } = await this.#service(pool);
    return { wanted: desiredCount, running: runningCount };
  }

  async want(pool: Pool, hosts: number): Promise<void> {
    const service = this.#name(pool);
    await run('UpdateService', () =>
      this.#client.send(new UpdateServiceCommand({ cluster: this.#places.cluster, service, desiredCount: hosts })),
    );
  }

  async #service(pool: Pool): Promise<Service> {
    const name = this.#name(pool);
    const { services = [] } = await run('DescribeServices', () =>
      this.#client.send(new DescribeServicesCommand({ cluster: this.#places.cluster, services: [name] })),
    );
    const service = services.find(({ status }) => status === 'ACTIVE');
    if (service === undefined) throw new DependencyError(`ECS has no active service ${name}`);
    return service;
  }

  #name(pool: Pool): string {
    const name = this.#places.services[pool];
    if (name === undefined) throw new DependencyError(`The pool ${pool} has no ECS service`);
    return name;
  }
}

async function run<T>(operation: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    throw dependencyError(`ECS ${operation}`, error);
  }
}
