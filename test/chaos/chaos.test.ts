import { describe, expect, it } from 'vitest';
import type { ChaosKind } from './chaos-plan.ts';
import { type ChaosResult, runChaos } from './chaos-run.ts';

const KINDS: readonly ChaosKind[] = ['kill', 'drain', 'cut'];
/**
 * A contact and a session that write to each other for the first time at the same moment may have to send a message
 * again. It arrives all the same; the figure is looked at in long runs.
 */
const TOLERATED: ReadonlySet<string> = new Set(['undecryptable']);
const TIMEOUT_MS = 240_000;

/** The hosts' own words are worth having when a figure is wrong, and only then. */
async function shortRun(
  kinds: readonly ChaosKind[],
): Promise<{ readonly result: ChaosResult; readonly log: string[] }> {
  const log: string[] = [];
  const result = await runChaos({
    seed: 1,
    seconds: 20,
    kills: 3,
    hosts: 2,
    sessions: 4,
    kinds: new Set(kinds),
    perSecond: 10,
    settleSeconds: 100,
    hostEnv: { LOG_LEVEL: 'warn' },
    onHostLine: (host, _stream, line) => log.push(`${host} ${line}`),
    say: (line) => log.push(line),
  });
  return { result, log };
}

describe('two hosts with traffic both ways', () => {
  it(`lose and repeat nothing under ${KINDS.join(', ')}`, { timeout: TIMEOUT_MS }, async () => {
    const { result, log } = await shortRun(KINDS);
    const { verdict, faults, evidence, lostJobs, done } = result;
    const serious = faults.filter((name) => !TOLERATED.has(name));
    expect(serious, JSON.stringify({ verdict, evidence, lostJobs, log: log.slice(-40) }, undefined, 2)).toEqual([]);
    for (const kind of KINDS) expect(done[kind]).toBeGreaterThan(0);
    expect(verdict.accepted).toBeGreaterThan(20);
    expect(verdict.ackedIn).toBeGreaterThan(20);
  });
});
