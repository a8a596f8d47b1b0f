import type { HostRow } from '#shared/contracts/rows.ts';

/** What was seen of a host, and since when (own monotonic clock) it has not moved. */
export interface Sighting {
  readonly incarnation: string;
  readonly rvn: number;
  readonly since: number;
}

export type Sightings = ReadonlyMap<string, Sighting>;

/**
 * Takes note of a reading of all hosts.
 * @param seenAt monotonic time after the reading: a heartbeat that it shows was sent earlier than that
 */
export function observe(before: Sightings, hosts: readonly HostRow[], seenAt: number): Sightings {
  return new Map(
    hosts.map((host) => {
      const known = before.get(host.hostId);
      const still = known !== undefined && known.incarnation === host.incarnation && known.rvn === host.rvn;
      return [
        host.hostId,
        { incarnation: host.incarnation, rvn: host.rvn, since: still ? known.since : seenAt },
      ] as const;
    }),
  );
}

/**
 * Hosts that have not moved for `silence` ms.
 * @param readAt monotonic time before the reading that `sightings` ends with: until then at least they had not moved
 */
export function silentHosts(
  sightings: Sightings,
  hosts: readonly HostRow[],
  readAt: number,
  silence: number,
): readonly HostRow[] {
  return hosts.filter((host) => {
    const sighting = sightings.get(host.hostId);
    return sighting !== undefined && readAt - sighting.since >= silence;
  });
}
