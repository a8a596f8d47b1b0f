import { describe, expect, it } from 'vitest';
import type { ChaosKind } from './chaos-plan.ts';
import { type ChaosResult, runChaos } from './chaos-run.ts';

/**
 * Whether a host may be killed without losing what WhatsApp was already told is received. Off as long as acks do not
 * wait for the event behind them.
 */
const SIGKILL_LOSES_NOTHING = false;

const KINDS: readonly ChaosKind[] = SIGKILL_LOSES_NOTHING ? ['kill', 'drain', 'cut'] : ['drain', 'cut'];
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
    expect(faults, JSON.stringify({ verdict, evidence, lostJobs, log: log.slice(-40) }, undefined, 2)).toEqual([]);
    for (const kind of KINDS) expect(done[kind]).toBeGreaterThan(0);
    expect(verdict.accepted).toBeGreaterThan(20);
    expect(verdict.ackedIn).toBeGreaterThan(20);
  });
});
