import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Breach } from './books.ts';
import { GUARDS, type Guard, isGuard, noticed } from './guards.ts';
import { SeedThreads } from './seed-threads.ts';
import type { SimulationOptions, SimulationResult } from './simulation.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    steps: { type: 'string', default: '500' },
    /** The first seed. */
    seed: { type: 'string', default: '1' },
    /** How many at a time. */
    threads: { type: 'string', default: String(availableParallelism()) },
    mutants: { type: 'boolean', default: false },
    /** Leaves one guard out, to look at what that does. */
    without: { type: 'string' },
  },
});
const steps = Number(values.steps);
const first = Number(values.seed);
const seeds = Number(values.seeds);
const started = performance.now();
const seconds = () => (performance.now() - started) / 1000;
const say = (line: string) => process.stderr.write(`${seconds().toFixed(0)} s  ${line}\n`);
const threads = new SeedThreads(Math.max(1, Math.min(Number(values.threads), seeds)));

function* runs(without?: Guard): Generator<SimulationOptions> {
  for (let seed = first; seed < first + seeds; seed += 1) {
    yield { seed, steps, ...(without !== undefined && { without }) };
  }
}

/** @returns false when a seed breaks a rule; it is shown */
async function search(without?: Guard): Promise<boolean> {
  const sums = new Map<string, number>();
  let done = 0;
  for await (const result of threads.run(runs(without))) {
    if (result.breaches.length > 0) {
      show(first + done, result);
      return false;
    }
    done += 1;
    for (const [name, value] of Object.entries(result.figures)) sums.set(name, (sums.get(name) ?? 0) + value);
    if (done % 100 === 0) say(`${done} seeds, nothing broken`);
  }
  const perSecond = Number((done / seconds()).toFixed(1));
  process.stdout.write(`${JSON.stringify({ seeds: done, steps, ...Object.fromEntries(sums), perSecond })}\n`);
  return true;
}

function show(seed: number, { breaches, trace }: SimulationResult): void {
  process.stderr.write(`${trace.join('\n')}\n`);
  for (const { rule, what, at } of breaches) {
    process.stderr.write(`${rule} broken at ${(at / 1000).toFixed(3)} s: ${what}\n`);
  }
  process.stderr.write(`again: npm run simulate -- --seed ${seed} --seeds 1 --steps ${steps}\n`);
}

/** @returns the first seed in which the rule that is meant for the guard notices that it is gone */
async function notice(guard: Guard): Promise<{ readonly seed: number; readonly breach: Breach } | undefined> {
  let seed = first;
  for await (const { breaches } of threads.run(runs(guard))) {
    const breach = noticed(guard, breaches);
    if (breach !== undefined) return { seed, breach };
    seed += 1;
  }
  return undefined;
}

async function searchMutants(): Promise<boolean> {
  const survivors: string[] = [];
  for (const guard of Object.keys(GUARDS).filter(isGuard)) {
    const found = await notice(guard);
    if (found === undefined) survivors.push(guard);
    say(
      found === undefined
        ? `without ${guard}: NOT CAUGHT`
        : `without ${guard}: seed ${found.seed}, ${found.breach.rule}: ${found.breach.what}`,
    );
  }
  if (survivors.length > 0) say(`survived: ${survivors.join(', ')}`);
  return survivors.length === 0;
}

const { without } = values;
if (without !== undefined && !isGuard(without)) throw new Error(`There is no guard ${without}.`);
const clean = values.mutants ? await searchMutants() : await search(without);
await threads.close();
process.exitCode = clean ? 0 : 1;
