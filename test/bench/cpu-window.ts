import { setTimeout as delay } from 'node:timers/promises';
import type { PlatformUnderTest, PlatformUsage } from './platform-under-test.ts';

/** CPU milliseconds that the platform used in a window, by part. */
export interface CpuSpent {
  readonly host: number;
  readonly functions: number;
  readonly localCloud: number;
}

const LOOK_EVERY_MS = 250;
const QUIET_SHARE = 0.08;
const LONGEST_MS = 15_000;

const total = ({ host, functionsCpuMs, enginesCpuMs }: PlatformUsage) => host.cpuMs + functionsCpuMs + enginesCpuMs;

/** Waits until the platform has nothing left to do: what follows a message belongs to its price. */
export async function untilQuiet(platform: PlatformUnderTest): Promise<void> {
  const deadline = performance.now() + LONGEST_MS;
  let quiet = 0;
  let before = total(await platform.usage());
  while (quiet < 2 && performance.now() < deadline) {
    await delay(LOOK_EVERY_MS);
    const now = total(await platform.usage());
    quiet = now - before < LOOK_EVERY_MS * QUIET_SHARE ? quiet + 1 : 0;
    before = now;
  }
}

/** Runs the load and waits until the platform is quiet again; what it used in between. */
export async function cpuSpent<T>(
  platform: PlatformUnderTest,
  load: () => Promise<T>,
): Promise<{ result: T; spent: CpuSpent }> {
  await untilQuiet(platform);
  const before = await platform.usage();
  const result = await load();
  await untilQuiet(platform);
  const after = await platform.usage();
  return {
    result,
    spent: {
      host: after.host.cpuMs - before.host.cpuMs,
      functions: after.functionsCpuMs - before.functionsCpuMs,
      localCloud: after.enginesCpuMs - before.enginesCpuMs,
    },
  };
}
