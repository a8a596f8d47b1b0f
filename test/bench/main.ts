import { parseArgs } from 'node:util';
import { BareBaileys } from './bare-baileys.ts';
import { BenchWorld } from './bench-world.ts';
import { Contact } from './contact.ts';
import { FigureSheet } from './figure-sheet.ts';
import { measureBacklog } from './figures/backlog.ts';
import { measureFailover } from './figures/failover.ts';
import { measureFunctions } from './figures/functions.ts';
import { measureHandOver } from './figures/hand-over.ts';
import { measureJournal } from './figures/journal.ts';
import { measureMemory } from './figures/memory.ts';
import { measurePairing } from './figures/pairing.ts';
import { measureBareReceiving, measureReceiving } from './figures/receiving.ts';
import { measureRestart, measureRestore } from './figures/restore.ts';
import { measureSending } from './figures/sending.ts';
import { measureStart } from './figures/start.ts';
import { measureThroughput } from './figures/throughput.ts';
import { measureWebhooks } from './figures/webhooks.ts';
import { profiling } from './profiling.ts';
import { RuleQueue } from './rule-queue.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    sessions: { type: 'string' },
    quick: { type: 'boolean', default: false },
    profile: { type: 'string' },
    'host-env': { type: 'string', multiple: true, default: [] },
  },
});
const { quick } = values;
const only = values.only?.split(',');
const wanted = (name: string) => only === undefined || only.includes(name);
profiling.directory = values.profile;
profiling.hostEnv = Object.fromEntries(values['host-env'].map(nameAndValue));

const sheet = new FigureSheet();
const failures: string[] = [];

function nameAndValue(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

async function measure(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    failures.push(name);
    process.stderr.write(`${name} could not be measured: ${error instanceof Error ? error.stack : String(error)}\n`);
  }
}

if (wanted('functions')) await measure('functions', () => measureFunctions(sheet, quick ? 3 : 9));
if (wanted('start')) await measure('start', () => measureStart(sheet, quick ? 2 : 5));
if (['pairing', 'sending', 'receiving', 'throughput'].some(wanted)) {
  await measure('messaging', async () => {
    const world = await BenchWorld.start();
    try {
      const sessions = await measurePairing(sheet, world, 10);
      const [session] = sessions;
      if (session === undefined) throw new Error('There is no session.');
      const contact = await Contact.create(world.whatsapp, 'Contact');
      if (wanted('sending')) await measureSending(sheet, world, session, contact, quick ? 50 : 100);
      const inbound = quick ? 100 : 200;
      if (wanted('receiving')) {
        const queue = await RuleQueue.create(world.platform.env, 'bench', ['message']);
        try {
          await measureReceiving(sheet, world, queue, session, contact, inbound);
        } finally {
          await queue.stop();
        }
      }
      const bare = await BareBaileys.start(world.simulator);
      try {
        if (wanted('receiving')) await measureBareReceiving(sheet, world, bare, inbound);
        if (wanted('throughput')) {
          const load = { messages: quick ? 200 : 400, clients: 20, rounds: quick ? 1 : 3 };
          await measureThroughput(sheet, world, sessions, bare, load);
        }
      } finally {
        await bare.stop();
      }
    } finally {
      await world.stop();
    }
  });
}
if (wanted('webhooks')) {
  const load = { paced: quick ? 100 : 200, burst: quick ? 100 : 400, requests: quick ? 50 : 200 };
  await measure('webhooks', () => measureWebhooks(sheet, load));
}
if (wanted('memory')) {
  await measure('memory', () => measureMemory(sheet, Number(values.sessions ?? (quick ? 50 : 200))));
}
if (wanted('journal')) {
  const load = { messages: quick ? 200 : 400, clients: 20, rounds: quick ? 1 : 6, singles: quick ? 20 : 50 };
  await measure('journal', () => measureJournal(sheet, load));
}
if (wanted('failover')) await measure('failover', () => measureFailover(sheet, quick ? 9 : 30, quick ? 1 : 6));
if (wanted('hand-over')) await measure('hand-over', () => measureHandOver(sheet, quick ? 8 : 30, quick ? 1 : 6));
if (wanted('restart')) await measure('restart', () => measureRestart(sheet, 50, quick ? 1 : 5));
if (wanted('restore'))
  await measure('restore', () => measureRestore(sheet, Number(values.sessions ?? (quick ? 100 : 500))));
if (wanted('backlog')) await measure('backlog', () => measureBacklog(sheet, 20));

process.stderr.write(`\n${sheet.table()}\n`);
if (failures.length > 0) {
  process.stderr.write(`\nNot measured: ${failures.join(', ')}\n`);
  process.exitCode = 1;
}
