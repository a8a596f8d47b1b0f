import type { Pool } from '../contracts/resources.ts';

/** Hosts of a pool, as whoever runs them counts. */
export interface HostCount {
  /** That there are to be. */
  readonly wanted: number;
  /** That run now; those that are on their way up or down may or may not be among them. */
  readonly running: number;
}

/** Runs hosts: ECS services in AWS, child processes on a laptop. What ends without being asked to is replaced. */
export interface HostLauncher {
  /** @throws DependencyError when it cannot be told, also for a pool that does not exist */
  count(pool: Pool): Promise<HostCount>;
  /**
   * Sets how many hosts the pool is to have. Resolves when that is taken note of, long before it is so. Hosts that are
   * too many are asked to drain.
   * @throws DependencyError as above
   */
  want(pool: Pool, hosts: number): Promise<void>;
}
