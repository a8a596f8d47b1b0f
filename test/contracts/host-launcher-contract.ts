import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DependencyError } from '#shared/domain/errors.ts';
import type { HostLauncher } from '#shared/ports/host-launcher.ts';

export interface LauncherUnderTest {
  /** Of a socket pool without hosts, and no browser pool. */
  readonly launcher: HostLauncher;
  close(): Promise<void>;
}

/** What every launcher of hosts does. */
export function defineHostLauncherContract(name: string, factory: () => Promise<LauncherUnderTest>): void {
  describe(`${name}: a host launcher`, () => {
    let launcher: HostLauncher;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ launcher, close } = await factory());
    });
    afterEach(() => close());

    const untilRunning = (hosts: number) =>
      vi.waitFor(async () => expect(await launcher.count('socket')).toEqual({ wanted: hosts, running: hosts }), {
        timeout: 10_000,
        interval: 10,
      });

    it('has as many hosts as are wanted, after a while', async () => {
      await untilRunning(0);
      for (const hosts of [2, 1, 3, 3, 0]) {
        await launcher.want('socket', hosts);
        expect((await launcher.count('socket')).wanted).toBe(hosts);
        await untilRunning(hosts);
      }
    });

    it('follows the last of many wishes', async () => {
      await launcher.want('socket', 2);
      await untilRunning(2);
      for (const hosts of [0, 1, 0, 2]) await launcher.want('socket', hosts);
      await untilRunning(2);
    });

    it('knows no other pool', async () => {
      await expect(launcher.count('browser')).rejects.toBeInstanceOf(DependencyError);
      await expect(launcher.want('browser', 1)).rejects.toBeInstanceOf(DependencyError);
    });
  });
}
