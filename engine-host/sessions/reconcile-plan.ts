import type { SessionRow } from '#shared/contracts/rows.ts';
import type { SessionConfig, SessionStatus } from '#shared/contracts/session.ts';

/** What a session's runner knows of what it runs. */
export interface RunnerFacts {
  readonly status: SessionStatus;
  /** Set while an engine runs: the configuration it was started with. */
  readonly runningWith: string | undefined;
  /** The engine has reported a final failure; only a person's wish starts it again. */
  readonly halted: boolean;
  readonly restartDone: string | undefined;
  readonly logoutDone: string | undefined;
}

/** The next step from what is to what is wanted. `settled`: there is none. */
export type ReconcileStep = 'remove' | 'logout' | 'stop' | 'restart' | 'start' | 'settled';

type Wanted = Pick<SessionRow, 'desired' | 'restartToken' | 'logoutToken' | 'config'>;

export function nextStep(wanted: Wanted, facts: RunnerFacts): ReconcileStep {
  if (wanted.desired === 'DELETED') return 'remove';
  if (wanted.logoutToken !== undefined && wanted.logoutToken !== facts.logoutDone) return 'logout';
  if (wanted.desired === 'STOPPED') {
    return facts.runningWith !== undefined || facts.status !== 'STOPPED' ? 'stop' : 'settled';
  }
  if (wanted.restartToken !== undefined && wanted.restartToken !== facts.restartDone) return 'restart';
  if (facts.runningWith !== undefined) {
    return facts.runningWith === engineConfiguration(wanted.config) ? 'settled' : 'restart';
  }
  return facts.halted ? 'settled' : 'start';
}

/** The part of the configuration that an engine sees, for comparison. The rest changes without a restart. */
export function engineConfiguration(config: SessionConfig): string {
  const { webhooks: _webhooks, metadata: _metadata, pacing: _pacing, ...seen } = config;
  return JSON.stringify(seen, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

const LASTING: ReadonlySet<string> = new Set([
  'logged-out',
  'qr-expired',
  'pairing-unproven',
  'conflict',
  'banned',
  'client-outdated',
]);

/** True when the row tells of a failure that another host would only meet again. */
export function isHalted(row: Pick<SessionRow, 'status' | 'statusReason'>): boolean {
  return row.status === 'FAILED' && row.statusReason !== undefined && LASTING.has(row.statusReason);
}
