import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSimulatorProcess } from '#localstack/start/simulator-process.ts';
import { type FigureSheet, spread } from '../figure-sheet.ts';
import { LoadClient } from '../load-client.ts';
import { PlatformUnderTest } from '../platform-under-test.ts';

/** From the start of an empty installation's process to its first answer. */
export async function measureStart(sheet: FigureSheet, rounds: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-bench-'));
  const simulator = await startSimulatorProcess(join(folder, 'whatsapp'));
  const samples: number[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      const started = performance.now();
      const platform = await PlatformUnderTest.start(join(folder, `platform-${round}`), simulator);
      const client = new LoadClient(platform.url);
      await client.call('GET', '/ping');
      samples.push(performance.now() - started);
      client.close();
      await platform.stop();
    }
  } finally {
    await simulator.stop();
    await rm(folder, { recursive: true, force: true });
  }
  sheet.add({ figure: 'start to first 200', unit: 'ms', ...spread(samples) });
}
