import { setTimeout as delay } from 'node:timers/promises';
import { atMost, type FigureSheet, rounded, tail } from '../figure-sheet.ts';
import { Fleet } from '../fleet.ts';

const HOSTS = 3;
const GOAL_SECONDS = 20;
/** The operating system closes a killed process's connections at once. */
const CLOSED_WITHIN_MS = 1_000;
const TIMEOUT_MS = 120_000;

/** Hosts are killed in turn and stay down: until the others have each of their sessions WORKING, as events tell it. */
export async function measureFailover(sheet: FigureSheet, sessions: number, kills: number): Promise<void> {
  const fleet = await Fleet.start(HOSTS, sessions);
  const { platform } = fleet.world;
  const samples: number[] = [];
  const silences: number[] = [];
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      const host = fleet.hosts[kill % HOSTS] ?? '';
      await fleet.balanced();
      const { signalledAt } = await platform.takeDown('SIGKILL', host);
      await delay(CLOSED_WITHIN_MS);
      const hit = await fleet.disconnected(signalledAt, signalledAt + CLOSED_WITHIN_MS);
      if (hit.length === 0) throw new Error(`${host} had no sessions.`);
      const names = hit.map(({ name }) => name);
      const told = await fleet.working.again(names, signalledAt, TIMEOUT_MS);
      samples.push(...told.map((at) => at - signalledAt));
      await fleet.loggedIn(hit);
      silences.push(...fleet.silences(hit, signalledAt));
      await platform.bringUp(host);
    }
  } finally {
    await fleet.stop();
  }
  const seconds = tail(samples.map((ms) => ms / 1000));
  const silence = tail(silences.map((ms) => ms / 1000));
  sheet.add({
    figure: `kill -9 of one of ${HOSTS} hosts to its sessions WORKING on others`,
    unit: 's',
    ...seconds,
    ...atMost(GOAL_SECONDS, seconds.p99, 's p99'),
    details: {
      kills,
      sessions,
      fastest: rounded(Math.min(...samples) / 1000),
      loggedInP50: silence.p50,
      loggedInP99: silence.p99,
    },
  });
}
