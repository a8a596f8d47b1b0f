import { setTimeout as delay } from 'node:timers/promises';
import { BenchWorld } from '../bench-world.ts';
import { untilQuiet } from '../cpu-window.ts';
import { atMost, type FigureSheet, rounded } from '../figure-sheet.ts';
import { RuleQueue } from '../rule-queue.ts';

const SETTLE_MS = 3_000;
const RESTART_TIMEOUT_MS = 120_000;
const GOAL_MB = 2.5;

interface Sample {
  readonly sessions: number;
  readonly hostMb: number;
}

/** Memory of the host with more and more idle sessions, then with fewer and fewer after restarts of the host. */
export async function measureMemory(sheet: FigureSheet, largest: number): Promise<void> {
  const steps = [1, 10, 50, 200].filter((step) => step < largest).concat(largest);
  const world = await BenchWorld.start();
  try {
    const queue = await RuleQueue.create(world.platform.env, 'bench', ['session.status']);
    try {
      addSample(sheet, 'host RSS', await settled(world, 0));
      const grown: Sample[] = [];
      for (const step of steps) {
        await pairUpTo(world, grown.at(-1)?.sessions ?? 0, step);
        const sample = await settled(world, step);
        addSample(sheet, 'host RSS', sample);
        grown.push(sample);
      }
      addSlopes(sheet, 'host RSS per extra session', grown);

      const restarted: Sample[] = [];
      for (const [index, step] of steps.toReversed().entries()) {
        await stopDownTo(world, steps.at(-index) ?? step, step, index > 0);
        const ms = await restart(world, queue, step);
        const sample = await settled(world, step);
        addSample(sheet, 'host RSS after a restart', sample);
        restarted.unshift(sample);
        if (index === 0) {
          sheet.add({ figure: `host restart to ${step} sessions WORKING`, unit: 'ms', n: 1, value: Math.round(ms) });
        }
      }
      addSlopes(sheet, 'host RSS per extra session after a restart', restarted);
      await addIdleCpu(sheet, world);
    } finally {
      await queue.stop();
    }
  } finally {
    await world.stop();
  }
}

async function pairUpTo(world: BenchWorld, from: number, to: number): Promise<void> {
  await world.pairAll(Array.from({ length: to - from }, (_, index) => `idle-${from + index + 1}`));
}

async function stopDownTo(world: BenchWorld, from: number, to: number, wanted: boolean): Promise<void> {
  if (!wanted) return;
  for (let number = from; number > to; number -= 1) {
    await world.api.call('POST', `/api/sessions/idle-${number}/stop`, {});
  }
}

async function restart(world: BenchWorld, queue: RuleQueue, sessions: number): Promise<number> {
  const working = new Set<string>();
  const all = queue.collect(
    sessions,
    (envelope) => {
      if (envelope.event !== 'session.status' || envelope.payload.status !== 'WORKING') return false;
      if (working.has(envelope.session)) return false;
      working.add(envelope.session);
      return true;
    },
    RESTART_TIMEOUT_MS,
  );
  const started = performance.now();
  const [events] = await Promise.all([all, world.platform.restartHost()]);
  if (events.length < sessions) throw new Error('Not all sessions came back.');
  return performance.now() - started;
}

async function settled(world: BenchWorld, sessions: number): Promise<Sample> {
  await untilQuiet(world.platform);
  await delay(SETTLE_MS);
  const { host } = await world.platform.usage();
  return { sessions, hostMb: host.rssMb };
}

function addSample(sheet: FigureSheet, name: string, { sessions, hostMb }: Sample): void {
  sheet.add({ figure: `${name}, ${sessions} sessions`, unit: 'MB', n: 1, value: rounded(hostMb) });
}

function addSlopes(sheet: FigureSheet, name: string, samples: readonly Sample[]): void {
  for (const [index, { sessions, hostMb }] of samples.entries()) {
    const before = samples[index - 1];
    if (before === undefined || before.sessions < 10) continue;
    const slope = (hostMb - before.hostMb) / (sessions - before.sessions);
    sheet.add({
      figure: `${name}, ${before.sessions} to ${sessions}`,
      unit: 'MB',
      n: sessions - before.sessions,
      value: rounded(slope, 2),
      ...atMost(GOAL_MB, slope, 'MB'),
    });
  }
}

async function addIdleCpu(sheet: FigureSheet, world: BenchWorld): Promise<void> {
  const seconds = 5;
  const before = await world.platform.usage();
  await delay(seconds * 1000);
  const after = await world.platform.usage();
  const percent = (from: number, to: number) => rounded((to - from) / seconds / 10);
  sheet.add({
    figure: 'idle CPU of the host, 1 session',
    unit: '%',
    n: 1,
    value: percent(before.host.cpuMs, after.host.cpuMs),
    details: { launcher: percent(before.launcher.cpuMs, after.launcher.cpuMs) },
  });
}
