import type { ConnectionChange, HostFault } from './ledger.ts';

/** The operating system closes a killed process's connections at once; what closes later has another reason. */
const CLOSED_BY_KILL_MS = 1_000;
/** A kill at a point is noticed when the process has been gone for a little while. */
const NOTICED_LATE_MS = 500;
/** Who is not back by then has taken too long, whatever happens afterwards. */
const FAILOVER_GOAL_MS = 20_000;

/** Milliseconds from a fault until the last session it took down was connected again. */
export interface Returns {
  /** Of sessions that nothing else hit meanwhile, one figure for each fault that took any down. */
  readonly plain: readonly number[];
  /** Of sessions that were hit again before they were back, counted from the first fault. */
  readonly interrupted: readonly number[];
}

export interface Recoveries {
  readonly failover: Returns;
  readonly drain: Returns;
  /** Milliseconds without a connection, for each session in each drain that nothing interrupted. */
  readonly silence: readonly number[];
  /** Sessions that did not come back. */
  readonly unrecovered: number;
}

interface Absence {
  readonly session: string;
  readonly from: number;
  readonly to: number;
}

/**
 * Reads from the server's log of connections how long sessions were away. Faults without an effect give no figure.
 * @param hosts how many hosts there are
 */
export function recoveries(
  faults: readonly HostFault[],
  connections: readonly ConnectionChange[],
  hosts: number,
): Recoveries {
  const bySession = Map.groupBy(connections, ({ session }) => session);
  const felt = faults
    .filter(({ kind }) => kind !== 'stop')
    .map((fault) => {
      const absences = fault.sessions.flatMap((name) => absence(fault, name, bySession.get(name) ?? []) ?? []);
      const over = absences.filter(({ to }) => to !== Number.POSITIVE_INFINITY);
      return {
        fault,
        lost: absences.length - over.length,
        plain: over.filter((each) => !isInterrupted(each, fault, faults, hosts)),
        interrupted: over.filter((each) => isInterrupted(each, fault, faults, hosts)),
      };
    });
  const returns = (kind: HostFault['kind']): Returns => {
    const alike = felt.filter(({ fault }) => fault.kind === kind);
    return {
      plain: alike.flatMap(({ fault, plain }) => slowest(fault, plain)),
      interrupted: alike.flatMap(({ fault, interrupted }) => slowest(fault, interrupted)),
    };
  };
  return {
    failover: returns('kill'),
    drain: returns('drain'),
    silence: felt.flatMap(({ fault, plain }) => (fault.kind === 'drain' ? plain.map(({ from, to }) => to - from) : [])),
    unrecovered: felt.reduce((sum, { lost }) => sum + lost, 0),
  };
}

function absence(fault: HostFault, session: string, changes: readonly ConnectionChange[]): Absence | undefined {
  const { kind, at, endedAt = Number.POSITIVE_INFINITY } = fault;
  const [first, last] = kind === 'kill' ? [at - NOTICED_LATE_MS, at + CLOSED_BY_KILL_MS] : [at, endedAt];
  const closed = changes.findLast((change) => change.kind === 'closed' && change.at >= first && change.at <= last);
  if (closed === undefined) return undefined;
  const back = changes.find((change) => change.kind === 'active' && change.at >= closed.at);
  return { session, from: closed.at, to: back?.at ?? Number.POSITIVE_INFINITY };
}

/** Whether the session's new owner, or every host that could have become it, was hit before the session was back. */
function isInterrupted({ session, to }: Absence, fault: HostFault, faults: readonly HostFault[], hosts: number) {
  const until = Math.min(to, fault.at + FAILOVER_GOAL_MS);
  const others = faults.filter(
    (other) => other !== fault && other.at < until && (other.endedAt ?? other.at) > fault.at,
  );
  if (others.some(({ sessions }) => sessions.includes(session))) return true;
  const hit = new Set(others.map(({ host }) => host).filter((host) => host !== fault.host));
  return hosts > 1 && hit.size >= hosts - 1;
}

function slowest({ at }: HostFault, absences: readonly Absence[]): readonly number[] {
  if (absences.length === 0) return [];
  return [Math.max(...absences.map(({ from, to }) => to - Math.min(at, from)))];
}
