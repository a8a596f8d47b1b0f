import { BenchWorld } from '../bench-world.ts';
import { atMost, type FigureSheet, rounded, tail } from '../figure-sheet.ts';
import { Fleet } from '../fleet.ts';

const HOSTS = ['host-1', 'host-2'];
const GOAL_SECONDS = 3;

/**
 * Hosts are drained in turn, and are started again when the other one has everything: from the end of each session's
 * old login until its new one is live, as the WhatsApp server sees it.
 */
export async function measureHandOver(sheet: FigureSheet, sessions: number, drains: number): Promise<void> {
  const world = await BenchWorld.start({ hosts: HOSTS.length });
  try {
    const fleet = await Fleet.pair(world, sessions);
    try {
      const drained: number[] = [];
      const balanced: number[] = [];
      const took: number[] = [];
      for (let drain = 0; drain < drains; drain += 1) {
        const host = HOSTS[drain % HOSTS.length] ?? '';
        await fleet.balanced(HOSTS);
        const { signalledAt, endedAt } = await world.platform.takeDown('SIGTERM', host);
        took.push(endedAt - signalledAt);
        const moved = await fleet.disconnected(signalledAt, endedAt);
        if (moved.length === 0) throw new Error(`${host} had no sessions.`);
        await fleet.loggedIn();
        drained.push(...fleet.silences(moved, signalledAt));
        const startedAt = await world.platform.bringUp(host);
        await fleet.balanced(HOSTS);
        balanced.push(...fleet.silences(await fleet.disconnected(startedAt, Date.now()), startedAt));
      }
      const seconds = tail(drained.map((ms) => ms / 1000));
      sheet.add({
        figure: 'silence of a session whose host is drained',
        unit: 's',
        ...seconds,
        ...atMost(GOAL_SECONDS, seconds.p99, 's p99'),
        details: { drains, sessions, drainP50: rounded(tail(took).p50 / 1000, 2) },
      });
      const evened = tail(balanced.map((ms) => ms / 1000));
      sheet.add({
        figure: 'silence of a session that moves to a host that was started',
        unit: 's',
        ...evened,
        ...atMost(GOAL_SECONDS, evened.p99, 's p99'),
      });
    } finally {
      await fleet.stop();
    }
  } finally {
    await world.stop();
  }
}
