import type { SessionRow } from '#shared/contracts/rows.ts';
import { SessionBacklogError, ShardBacklogError } from '../api-errors.ts';
import type { ApiDeps } from '../deps.ts';

/** Decides whether one more job may be accepted. */
export interface Backlog {
  /**
   * Counts a job that is about to be accepted. Commands are refused for a full shard only, so that a session full of
   * waiting sends can still be looked after.
   *
   * @throws SessionBacklogError, ShardBacklogError
   */
  admit(session: SessionRow, kind: 'send' | 'command'): Promise<void>;
}

/**
 * A count, once read, is good for this long; what this instance has accepted since is added to it. What was added may
 * have left by now, so nothing is refused for it before the count is read again.
 */
const GOOD_FOR_MS = 2_000;
const MOST_COUNTS = 10_000;
/** Seconds. */
const RETRY_AFTER_SESSION = 60;
const RETRY_AFTER_SHARD = 30;

interface Count {
  readonly readAt: number;
  readonly read: number;
  accepted: number;
}

/** Caps of one function instance. Others accept at the same time, so a cap is kept to within two seconds of sends. */
export function createBacklog({
  jobs,
  queue,
  clock,
  config,
}: Pick<ApiDeps, 'jobs' | 'queue' | 'clock'> & {
  readonly config: Pick<ApiDeps['config'], 'sessionBacklogCap' | 'shardBacklogCap'>;
}): Backlog {
  const counts = new Map<string, Count>();

  /** Undefined: full. */
  async function room(key: string, cap: number, read: () => Promise<number>): Promise<Count | undefined> {
    const known = counts.get(key);
    const now = clock.monotonic();
    if (known !== undefined && now - known.readAt < GOOD_FOR_MS) {
      if (known.read + known.accepted < cap) return known;
      if (known.accepted === 0) return undefined;
    }
    const fresh = { readAt: now, read: await read(), accepted: 0 };
    if (counts.size >= MOST_COUNTS) counts.clear();
    counts.set(key, fresh);
    return fresh.read < cap ? fresh : undefined;
  }

  return {
    async admit({ name, shard }, kind) {
      const { sessionBacklogCap, shardBacklogCap } = config;
      const [inShard, inSession] = await Promise.all([
        room(`shard ${shard}`, shardBacklogCap, () => queue.depth(shard)),
        kind === 'command'
          ? { accepted: 0 }
          : room(`session ${name}`, sessionBacklogCap, () => jobs.countOpen(shard, name, sessionBacklogCap)),
      ]);
      if (inSession === undefined) throw new SessionBacklogError(sessionBacklogCap, RETRY_AFTER_SESSION);
      if (inShard === undefined) throw new ShardBacklogError(RETRY_AFTER_SHARD);
      inSession.accepted += 1;
      inShard.accepted += 1;
    },
  };
}
