import type { OpenJob } from '#shared/ports/job-store.ts';

export interface WakePolicy {
  /** A job younger than this is on its way; milliseconds. */
  readonly afterMs: number;
  /** Wait after the first wake-up; it doubles with each further one. Milliseconds. */
  readonly againMs: number;
  /** The oldest sends of a session that are looked at; what is behind them waits for them anyway. */
  readonly headLength: number;
}

export const DEFAULT_WAKE_POLICY: WakePolicy = { afterMs: 120_000, againMs: 600_000, headLength: 100 };

/** The host ends what has expired; so long it has the first word. */
const EXPIRY_GRACE_MS = 60_000;

export function isExpired(job: OpenJob, now: number): boolean {
  return now >= job.expiresAt + EXPIRY_GRACE_MS;
}

/** Whether the job has been quiet for so long that its message may be lost. */
export function isQuiet({ createdAt, wokenAt, wakes = 0 }: OpenJob, now: number, policy: WakePolicy): boolean {
  if (wokenAt === undefined) return now - createdAt >= policy.afterMs;
  return now - wokenAt >= policy.againMs * 2 ** Math.max(0, wakes - 1);
}

/**
 * The sends among a shard's open jobs that may have lost their message, by session, each session's oldest first.
 * Commands are not among them: they expire before anybody could tell.
 */
export function quietSends(
  open: readonly OpenJob[],
  now: number,
  policy: WakePolicy,
): ReadonlyMap<string, readonly OpenJob[]> {
  const sends = open.filter(({ messageId }) => messageId !== undefined);
  const quiet = new Map<string, readonly OpenJob[]>();
  for (const [session, jobs] of Map.groupBy(sends, (job) => job.session)) {
    const heads = jobs.slice(0, policy.headLength).filter((job) => isQuiet(job, now, policy));
    if (heads.length > 0) quiet.set(session, heads);
  }
  return quiet;
}
