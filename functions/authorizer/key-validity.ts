import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import type { SessionStore } from '#shared/ports/session-store.ts';

export interface ValidityDeps {
  readonly sessions: Pick<SessionStore, 'get'>;
  readonly clock: { now(): number };
}

/** Whether this hash is of the row's key, or of the one before a rotation whose time is not over. */
export function hasHash({ hash, previous }: ApiKeyRow, presented: string, now: number): boolean {
  if (hash === undefined) return false;
  return presented === hash || (previous !== undefined && previous.until > now && presented === previous.hash);
}

/** Whether what the row grants is granted at this moment: neither revoked nor expired, and its session still there. */
export async function isGranted(row: ApiKeyRow, { sessions, clock }: ValidityDeps): Promise<boolean> {
  if (!row.isActive || row.deletedAt !== undefined) return false;
  if (row.expiresAt !== undefined && row.expiresAt <= clock.now()) return false;
  if (row.session === null) return true;
  const session = await sessions.get(row.session);
  return session !== undefined && session.desired !== 'DELETED' && session.incarnation === row.incarnation;
}
