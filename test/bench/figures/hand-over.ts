import { atMost, type FigureSheet, rounded, tail } from '../figure-sheet.ts';
import { Fleet } from '../fleet.ts';

const HOSTS = 2;
const GOAL_SECONDS = 3;

/**
 * Hosts are drained in turn, and are started again when the other one has everything: from the end of each session's
 * old login until its new one is live, as the WhatsApp server sees it.
 */
export async function measureHandOver(sheet: FigureSheet, sessions: number, drains: number): Promise<void> {
  const fleet = await Fleet.start(HOSTS, sessions);
  const { platform } = fleet.world;
  const drained: number[] = [];
  const balanced: number[] = [];
  const took: number[] = [];
  try {
    for (let drain = 0; drain < drains; drain += 1) {
      const host = fleet.hosts[drain % HOSTS] ?? '';
      await fleet.balanced();
      const { signalledAt, endedAt } = await platform.takeDown('SIGTERM', host);
      took.push(endedAt - signalledAt);
      const moved = await fleet.disconnected(signalledAt, endedAt);
      if (moved.length === 0) throw new Error(`${host} had no sessions.`);
      await fleet.loggedIn();
      drained.push(...fleet.silences(moved, signalledAt));
      const startedAt = await platform.bringUp(host);
      await fleet.balanced();
      balanced.push(...fleet.silences(await fleet.disconnected(startedAt, Date.now()), startedAt));
    }
  } finally {
    await fleet.stop();
  }
  const goal = (p99: number) => atMost(GOAL_SECONDS, p99, 's p99');
  const ofDrains = tail(drained.map((ms) => ms / 1000));
  sheet.add({
    figure: 'silence of a session whose host is drained',
    unit: 's',
    ...ofDrains,
    ...goal(ofDrains.p99),
    details: { drains, sessions, drainP50: rounded(tail(took).p50 / 1000, 2) },
  });
  const ofMoves = tail(balanced.map((ms) => ms / 1000));
  sheet.add({
    figure: 'silence of a session that moves to a host that was started',
    unit: 's',
    ...ofMoves,
    ...goal(ofMoves.p99),
  });
}
