import { setTimeout as delay } from 'node:timers/promises';
import type { AwsCalls } from './aws-call-counter.ts';
import { type Figure, rounded } from './figure-sheet.ts';
import type { PlatformUnderTest, PlatformUsage } from './platform-under-test.ts';

/** What the platform used in a window. */
export interface Spent {
  /** CPU milliseconds of the engine host. */
  readonly host: number;
  /** CPU milliseconds of the functions and the local cloud. */
  readonly launcher: number;
  readonly calls: { readonly host: AwsCalls; readonly launcher: AwsCalls };
}

const LOOK_EVERY_MS = 250;
const QUIET_SHARE = 0.08;
const LONGEST_MS = 15_000;

const total = ({ host, launcher }: PlatformUsage) => host.cpuMs + launcher.cpuMs;

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
export async function spentBy<T>(
  platform: PlatformUnderTest,
  load: () => Promise<T>,
): Promise<{ result: T; spent: Spent }> {
  await untilQuiet(platform);
  const before = await platform.usage();
  const result = await load();
  await untilQuiet(platform);
  const after = await platform.usage();
  const spent = {
    host: after.host.cpuMs - before.host.cpuMs,
    launcher: after.launcher.cpuMs - before.launcher.cpuMs,
    calls: {
      host: difference(after.calls.host, before.calls.host),
      launcher: difference(after.calls.launcher, before.calls.launcher),
    },
  };
  return { result, spent };
}

/** CPU and AWS calls per message, as figures. */
export function pricePerMessage(name: string, spent: Spent, messages: number): readonly Figure[] {
  const per = (value: number) => rounded(value / messages, 2);
  const sum = (calls: AwsCalls) => Object.values(calls).reduce((all, count) => all + count, 0);
  const list = (who: string, calls: AwsCalls) =>
    Object.entries(calls).map(([operation, count]) => [`${who} ${operation}`, per(count)] as const);
  const { host, launcher, calls } = spent;
  return [
    {
      figure: `CPU per ${name}`,
      unit: 'ms',
      n: messages,
      value: per(host + launcher),
      details: { host: per(host), launcher: per(launcher) },
    },
    {
      figure: `AWS calls per ${name}`,
      unit: 'calls',
      n: messages,
      value: per(sum(calls.host) + sum(calls.launcher)),
      details: Object.fromEntries([...list('host', calls.host), ...list('launcher', calls.launcher)]),
    },
  ];
}

/** Several windows as one. */
export function together(windows: readonly Spent[]): Spent {
  return windows.reduce((all, one) => ({
    host: all.host + one.host,
    launcher: all.launcher + one.launcher,
    calls: { host: added(all.calls.host, one.calls.host), launcher: added(all.calls.launcher, one.calls.launcher) },
  }));
}

function difference(after: AwsCalls, before: AwsCalls): AwsCalls {
  const changed = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return Object.fromEntries(changed.filter(([, count]) => count > 0));
}

function added(one: AwsCalls, other: AwsCalls): AwsCalls {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...names].map((name) => [name, (one[name] ?? 0) + (other[name] ?? 0)]));
}
