import { describe, expect, it } from 'vitest';
import type { ChaosKind } from './chaos-plan.ts';
import { type ChaosOptions, type ChaosResult, runChaos } from './chaos-run.ts';

const KINDS: readonly ChaosKind[] = ['kill', 'drain', 'cut'];
const TIMEOUT_MS = 240_000;

/** The hosts' own words are worth having when a figure is wrong, and only then. */
async function shortRun(
  options: Pick<ChaosOptions, 'seconds' | 'kills' | 'hosts' | 'settleSeconds'> & {
    readonly kinds: readonly ChaosKind[];
    readonly gate: 'durable' | 'off';
    readonly slowDynamoDbMs?: number;
  },
): Promise<{ readonly result: ChaosResult; readonly log: string[] }> {
  const { kinds, gate, ...rest } = options;
  const log: string[] = [];
  const result = await runChaos({
    ...rest,
    seed: 1,
    sessions: 4,
    kinds: new Set(kinds),
    perSecond: 10,
    hostEnv: { LOG_LEVEL: 'warn', NOWEB_GATE: gate },
    onHostLine: (host, _stream, line) => log.push(`${host} ${line}`),
    say: (line) => log.push(line),
  });
  return { result, log };
}

describe('two hosts with traffic both ways', () => {
  it(`lose and repeat nothing under ${KINDS.join(', ')}`, { timeout: TIMEOUT_MS }, async () => {
    const { result, log } = await shortRun({
      seconds: 20,
      kills: 4,
      hosts: 2,
      settleSeconds: 100,
      kinds: KINDS,
      gate: 'durable',
    });
    const { verdict, faults, evidence, lostJobs, done, killPoints } = result;
    expect(faults, JSON.stringify({ verdict, evidence, lostJobs, log: log.slice(-40) }, undefined, 2)).toEqual([]);
    for (const kind of KINDS) expect(done[kind]).toBeGreaterThan(0);
    expect(killPoints.reached).toBeGreaterThan(0);
    expect(verdict.accepted).toBeGreaterThan(20);
    expect(verdict.ackedIn).toBeGreaterThan(20);
  });
});

describe('a host that sends before its journal is durable', () => {
  // Keys that it uses twice are seen when its sends are tried again, after a minute: see the longer control.
  it('loses messages, and the judge sees it', { timeout: TIMEOUT_MS }, async () => {
    const { result } = await shortRun({
      seconds: 12,
      kills: 3,
      hosts: 1,
      settleSeconds: 10,
      kinds: ['kill'],
      gate: 'off',
      slowDynamoDbMs: 150,
    });
    expect(result.done.kill).toBe(3);
    expect(result.faults).toContain('lostIn');
  });
});
