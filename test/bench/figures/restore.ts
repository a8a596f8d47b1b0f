import { setTimeout as delay } from 'node:timers/promises';
import { BenchWorld } from '../bench-world.ts';
import { untilQuiet } from '../cpu-window.ts';
import { atMost, type FigureSheet, median, rounded } from '../figure-sheet.ts';
import { RuleQueue } from '../rule-queue.ts';
import { WorkingWatch } from '../working-watch.ts';

const RESTART_GOAL_SECONDS = 3;
const TIMEOUT_MS = 300_000;
const SETTLE_MS = 3_000;

/** How a host ends before it is started again. */
const ENDS = { SIGKILL: 'after kill -9', SIGTERM: 'after a clean stop' } as const;

interface Restart {
  /** Seconds from the start of the process until the first, half and all sessions were WORKING, as events tell it. */
  readonly first: number;
  readonly half: number;
  readonly all: number;
}

/** A host is killed and started again at once. */
export async function measureRestart(sheet: FigureSheet, sessions: number, rounds: number): Promise<void> {
  await withSessions(sessions, async (world, watch, names) => {
    const restarts: Restart[] = [];
    for (let round = 0; round < rounds; round += 1) restarts.push(await restart(world, watch, names, 'SIGKILL'));
    const all = restarts.map((one) => one.all);
    const slowest = Math.max(...all);
    sheet.add({
      figure: `start of a host ${ENDS.SIGKILL} to its ${sessions} sessions WORKING, slowest`,
      unit: 's',
      n: rounds,
      value: rounded(slowest, 2),
      p50: rounded(median(all), 2),
      ...atMost(RESTART_GOAL_SECONDS, slowest, 's'),
      details: {
        firstSessionP50: rounded(median(restarts.map((one) => one.first)), 2),
        halfP50: rounded(median(restarts.map((one) => one.half)), 2),
      },
    });
  });
}

/** Many sessions on one host, with the memory that their restore takes. */
export async function measureRestore(sheet: FigureSheet, sessions: number): Promise<void> {
  await withSessions(sessions, async (world, watch, names) => {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const { first, half, all } = await restart(world, watch, names, signal);
      const { host } = await world.platform.usage();
      sheet.add({
        figure: `start of a host ${ENDS[signal]} to its ${sessions} sessions WORKING`,
        unit: 's',
        n: 1,
        value: rounded(all, 2),
        details: {
          firstSession: rounded(first, 2),
          half: rounded(half, 2),
          hostCpuSeconds: rounded(host.cpuMs / 1000),
        },
      });
      await untilQuiet(world.platform);
      await delay(SETTLE_MS);
      const settled = (await world.platform.usage()).host;
      sheet.add({
        figure: `host RSS with ${sessions} sessions, ${ENDS[signal]}`,
        unit: 'MB',
        n: 1,
        value: rounded(settled.rssMb),
        details: { peak: rounded(settled.peakMb), perSession: rounded(settled.rssMb / sessions, 2) },
      });
    }
  });
}

async function withSessions(
  sessions: number,
  measure: (world: BenchWorld, watch: WorkingWatch, names: readonly string[]) => Promise<void>,
): Promise<void> {
  const world = await BenchWorld.start();
  try {
    const names = Array.from({ length: sessions }, (_, index) => `restored-${index + 1}`);
    await world.pairAll(names);
    await untilQuiet(world.platform);
    const queue = await RuleQueue.create(world.platform.env, 'restored', ['session.status']);
    try {
      await measure(world, new WorkingWatch(queue), names);
    } finally {
      await queue.stop();
    }
  } finally {
    await world.stop();
  }
}

async function restart(
  world: BenchWorld,
  watch: WorkingWatch,
  names: readonly string[],
  signal: keyof typeof ENDS,
): Promise<Restart> {
  await world.platform.takeDown(signal);
  const startedAt = await world.platform.bringUp();
  const told = await watch.again(names, startedAt, TIMEOUT_MS);
  const seconds = told.map((at) => (at - startedAt) / 1000).sort((a, b) => a - b);
  const all = seconds.at(-1);
  const first = seconds.at(0);
  if (all === undefined || first === undefined) throw new Error('There are no sessions.');
  return { first, half: median(seconds), all };
}
