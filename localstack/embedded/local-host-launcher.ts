import type { Pool } from '#shared/contracts/resources.ts';
import { DependencyError } from '#shared/domain/errors.ts';
import type { HostCount, HostLauncher } from '#shared/ports/host-launcher.ts';
import type { HostProcesses } from './host-processes.ts';

/** Hosts as child processes of this one, all of them of the socket pool. */
export class LocalHostLauncher implements HostLauncher {
  readonly #hosts: Promise<HostProcesses>;

  /** @param hosts may come later than the functions that count them */
  constructor(hosts: Promise<HostProcesses>) {
    this.#hosts = hosts;
  }

  async count(pool: Pool): Promise<HostCount> {
    const hosts = await this.#of(pool);
    return { wanted: hosts.wanted, running: hosts.pids().size };
  }

  async want(pool: Pool, count: number): Promise<void> {
    (await this.#of(pool)).want(count);
  }

  async #of(pool: Pool): Promise<HostProcesses> {
    if (pool !== 'socket') throw new DependencyError(`The pool ${pool} has no hosts on this machine`);
    return await this.#hosts;
  }
}
