import type { BenchWorld, PairedSession } from '../bench-world.ts';
import { type FigureSheet, rounded, spread } from '../figure-sheet.ts';

/** Pairs sessions one after the other. */
export async function measurePairing(sheet: FigureSheet, world: BenchWorld, count: number): Promise<PairedSession[]> {
  const sessions: PairedSession[] = [];
  for (let index = 0; index < count; index += 1) sessions.push(await world.pair(`bench-${index}`));
  const times = sessions.map((session) => session.times);
  const first = times[0];
  if (first === undefined) throw new Error('No session was paired.');
  sheet.add({ figure: 'POST sessions', unit: 'ms', ...spread(times.map(({ create }) => create)) });
  sheet.add({
    figure: 'create to QR',
    unit: 'ms',
    ...spread(times.map(({ createToQr }) => createToQr)),
    details: { first: rounded(first.createToQr) },
  });
  sheet.add({
    figure: 'scan to WORKING',
    unit: 'ms',
    ...spread(times.map(({ scanToWorking }) => scanToWorking)),
    details: { first: rounded(first.scanToWorking) },
  });
  return sessions;
}
