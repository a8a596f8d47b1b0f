import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPlatform } from '../start/platform.ts';
import { SimulatorAdmin } from '../start/simulator-admin.ts';
import { startSimulatorProcess } from '../start/simulator-process.ts';
import { ApiClient } from './api-client.ts';
import { createRuleTarget } from './rule-target.ts';
import { DEMO_STEPS } from './steps.ts';

const { values } = parseArgs({ options: { 'kill-after': { type: 'string' } } });
const killAfter = values['kill-after'] === undefined ? undefined : Number(values['kill-after']);

let number = 0;
let failed: string | undefined;
const cleanUp: (() => Promise<void>)[] = [];

/** Runs one step and prints its line. @throws what the step throws, after remembering which it was */
async function step<T>(name: string, run: () => Promise<T>, show: (result: T) => string): Promise<T> {
  number += 1;
  const started = performance.now();
  try {
    const result = await run();
    const ms = Math.round(performance.now() - started);
    console.log(`${String(number).padStart(2)}  ${name.padEnd(68)} ${String(ms).padStart(6)} ms   ${show(result)}`);
    return result;
  } catch (error) {
    failed = name;
    throw error;
  }
}

async function demonstrate(): Promise<void> {
  console.log('\nTrunkline, the whole way on one machine, offline.\n');
  const dataDir = await mkdtemp(join(tmpdir(), 'trunkline-demo-'));
  cleanUp.push(() => rm(dataDir, { recursive: true, force: true }));

  const simulator = await step(
    'start the WhatsApp simulator',
    () => startSimulatorProcess(join(dataDir, 'whatsapp')),
    ({ wsUrl }) => wsUrl,
  );
  cleanUp.push(() => simulator.stop());
  const platform = await step(
    'start the local cloud, the functions and an engine host',
    () =>
      startPlatform({
        dataDir: join(dataDir, 'platform'),
        whatsapp: { url: simulator.wsUrl, rootKey: simulator.rootKey, caFile: simulator.caFile },
        // Pauses between messages keep accounts out of trouble; here there is nobody to be careful with.
        hostEnv: { PACING_DEFAULT_PROFILE: 'off' },
        onHostLine: (host, stream, line) => {
          if (stream === 'stderr') console.error(`    ${host}: ${line}`);
        },
      }),
    ({ url }) => url,
  );
  cleanUp.push(() => platform.stop());

  const whatsapp = new SimulatorAdmin(simulator.adminUrl);
  const { phone } = await whatsapp.addContact({ name: 'Ada' });
  const target = await createRuleTarget(platform.cloud);
  const world = { platform, whatsapp, target, contact: phone, api: new ApiClient(platform.url, platform.apiKey) };
  for (const [index, { name, run }] of DEMO_STEPS.entries()) {
    await step(
      name,
      () => run(world),
      (shown) => shown,
    );
    if (killAfter === index + 1) {
      platform.hosts.kill('host-1', 'SIGKILL');
      console.log(`    the host was killed here (--kill-after ${killAfter})`);
    }
  }
  const { unknownIqs, violations } = await whatsapp.stats();
  await step(
    'ask the simulator for broken signatures and unknown requests',
    async () => {
      const complaints = JSON.stringify([unknownIqs, violations])
        .replace(/[[\]{}",:\s]/g, '')
        .replace(/0/g, '');
      if (complaints !== '') throw new Error(`The simulator complains: ${JSON.stringify({ unknownIqs, violations })}`);
    },
    () => 'none',
  );
}

try {
  await demonstrate();
  console.log('\nEverything arrived.\n');
} catch (error) {
  console.error(
    `\nFailed at: ${failed ?? 'preparation'}\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 1;
} finally {
  for (const end of cleanUp.reverse()) await end();
}
