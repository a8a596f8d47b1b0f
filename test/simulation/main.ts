import { parseArgs } from 'node:util';
import { GUARDS, type Guard, isGuard } from './guards.ts';
import { type SimulationResult, simulate } from './simulation.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    steps: { type: 'string', default: '500' },
    /** The first seed. */
    seed: { type: 'string', default: '1' },
    mutants: { type: 'boolean', default: false },
    /** Leaves one guard out, to look at what that does. */
    without: { type: 'string' },
  },
});
const steps = Number(values.steps);
const first = Number(values.seed);
const started = performance.now();
const say = (line: string) => process.stderr.write(`${((performance.now() - started) / 1000).toFixed(0)} s  ${line}\n`);

/** @returns the first seed that breaks a rule */
async function search(
  seeds: number,
  without?: Guard,
): Promise<{ readonly seed: number; readonly result: SimulationResult } | undefined> {
  const sums = new Map<string, number>();
  for (let seed = first; seed < first + seeds; seed += 1) {
    const result = await simulate({ seed, steps, ...(without !== undefined && { without }) });
    if (result.breaches.length > 0) return { seed, result };
    for (const [name, value] of Object.entries(result.figures)) sums.set(name, (sums.get(name) ?? 0) + value);
    if (without === undefined && (seed - first + 1) % 100 === 0) say(`${seed - first + 1} seeds, nothing broken`);
  }
  if (without === undefined) process.stdout.write(`${JSON.stringify({ seeds, steps, ...Object.fromEntries(sums) })}\n`);
  return undefined;
}

function show(seed: number, { breaches, trace }: SimulationResult): void {
  process.stderr.write(`${trace.join('\n')}\n`);
  for (const { rule, what, at } of breaches) {
    process.stderr.write(`${rule} broken at ${(at / 1000).toFixed(3)} s: ${what}\n`);
  }
  process.stderr.write(`again: npm run simulate -- --seed ${seed} --seeds 1 --steps ${steps}\n`);
}

process.on('unhandledRejection', (error) => {
  process.stderr.write(`a promise was rejected and nobody looked: ${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
});

if (values.mutants) {
  const survivors: string[] = [];
  for (const guard of Object.keys(GUARDS).filter(isGuard)) {
    const found = await search(Number(values.seeds), guard);
    if (found === undefined) survivors.push(guard);
    const [breach] = found?.result.breaches ?? [];
    say(
      found === undefined
        ? `without ${guard}: NOT CAUGHT`
        : `without ${guard}: seed ${found.seed}, ${breach?.rule}: ${breach?.what}`,
    );
  }
  if (survivors.length > 0) say(`survived: ${survivors.join(', ')}`);
  process.exitCode = survivors.length > 0 ? 1 : 0;
} else {
  const without = values.without !== undefined && isGuard(values.without) ? values.without : undefined;
  const found = await search(Number(values.seeds), without);
  if (found !== undefined) show(found.seed, found.result);
  process.exitCode = found === undefined ? 0 : 1;
}
