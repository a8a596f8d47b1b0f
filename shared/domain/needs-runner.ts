/** The part of a session's row that says whether a host has anything to do for it. */
export interface SessionWish {
  readonly desired: 'RUNNING' | 'STOPPED' | 'DELETED';
  readonly status: string;
  readonly logoutToken?: string | undefined;
  readonly logoutDone?: string | undefined;
  readonly untold?: number | null | undefined;
}

/** True when a host that has just got the session's shard has something to do for it. */
export function needsRunner({ desired, status, logoutToken, logoutDone, untold }: SessionWish): boolean {
  if (untold !== undefined && untold !== null) return true;
  if (desired !== 'STOPPED' || status !== 'STOPPED') return true;
  return logoutToken !== undefined && logoutToken !== logoutDone;
}
