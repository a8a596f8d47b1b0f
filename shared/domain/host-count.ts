/** How many hosts a pool may and should have. */
export interface HostLimits {
  /** Units (see `sessionWeight`) that a host carries with room to breathe. */
  readonly unitsPerHost: number;
  /** Hosts beyond those that the load takes, while there is any: the death of one overloads nobody. */
  readonly warmSpares: number;
  /** Hosts that are kept even when nothing is to run. */
  readonly minHosts: number;
  /** Hosts that are never exceeded, whatever the load. */
  readonly maxHosts: number;
  /** For how long hosts stay that are no longer needed, milliseconds. */
  readonly scaleInAfterMs: number;
}

/** A starting figure: idle websocket sessions on 1 vCPU and 2 GB. */
export const SOCKET_UNITS_PER_HOST = 500;

/** An estimate: ten browsers on 2 vCPU and 8 GB. */
export const BROWSER_UNITS_PER_HOST = 2_000;

export const DEFAULT_HOST_LIMITS = {
  warmSpares: 1,
  minHosts: 0,
  maxHosts: 10,
  scaleInAfterMs: 15 * 60_000,
} as const;

/** At some time a pool needed so many hosts. Milliseconds since 1970. */
export interface HostNeed {
  readonly at: number;
  readonly hosts: number;
}

/** @param units what all sessions that should run weigh */
export function hostsNeeded(units: number, limits: HostLimits): number {
  const carrying = Math.max(1, Math.ceil(units / limits.unitsPerHost));
  return within(units > 0 ? carrying + limits.warmSpares : 0, limits);
}

export interface HostDecision {
  readonly hosts: number;
  /** What later decisions need to know. At most one entry for each number of hosts. */
  readonly needs: readonly HostNeed[];
}

/**
 * Decides how many hosts there are to be: the most that were needed within `scaleInAfterMs`. So a pool grows at once, and
 * shrinks only to what was enough all that time; a load that swings around a limit changes nothing.
 *
 * @param before `needs` of the decision before
 */
export function decideHosts(before: readonly HostNeed[], now: HostNeed, limits: HostLimits): HostDecision {
  const recent = before.filter(({ at }) => now.at - at < limits.scaleInAfterMs);
  // An earlier need that was not higher can never decide any more.
  const needs = [...recent.filter(({ hosts }) => hosts > now.hosts), now];
  return { hosts: within(Math.max(...needs.map(({ hosts }) => hosts)), limits), needs };
}

/** The upper bound wins: it is what a bill is planned by. */
function within(hosts: number, { minHosts, maxHosts }: HostLimits): number {
  return Math.min(Math.max(hosts, minHosts), maxHosts);
}
