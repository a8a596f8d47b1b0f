import type { ConnectionChange, HostFault } from './ledger.ts';

/** The operating system closes a killed process's connections at once; what closes later has another reason. */
const CLOSED_BY_KILL_MS = 1_000;

export interface Recoveries {
  /** Milliseconds from each kill until the last session it took down was connected again. */
  readonly failover: readonly number[];
  /** The same from each SIGTERM. */
  readonly drain: readonly number[];
  /** Milliseconds without a connection, for each session in each drain. */
  readonly silence: readonly number[];
  /** Sessions that did not come back. */
  readonly unrecovered: number;
}

/** Reads from the server's log of connections how long sessions were away. Faults without an effect give no figure. */
export function recoveries(faults: readonly HostFault[], connections: readonly ConnectionChange[]): Recoveries {
  const bySession = Map.groupBy(connections, ({ session }) => session);
  const failover: number[] = [];
  const drain: number[] = [];
  const silence: number[] = [];
  let unrecovered = 0;
  for (const { kind, at, endedAt } of faults) {
    if (kind === 'stop') continue;
    const until = kind === 'kill' ? at + CLOSED_BY_KILL_MS : (endedAt ?? Number.POSITIVE_INFINITY);
    let last: number | undefined;
    for (const changes of bySession.values()) {
      const closed = changes.find((change) => change.kind === 'closed' && change.at >= at && change.at <= until);
      if (closed === undefined) continue;
      const back = changes.find((change) => change.kind === 'active' && change.at >= closed.at);
      if (back === undefined) {
        unrecovered += 1;
        continue;
      }
      last = Math.max(last ?? 0, back.at - at);
      if (kind === 'drain') silence.push(back.at - closed.at);
    }
    if (last !== undefined) (kind === 'kill' ? failover : drain).push(last);
  }
  return { failover, drain, silence, unrecovered };
}
