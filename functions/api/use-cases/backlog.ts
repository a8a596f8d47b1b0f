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

/** A count, once read, is good for this long; what this instance has accepted since is added to it. */
const GOOD_FOR_MS = 2_000;
const MOST_COUNTS = 10_000;
/** Seconds. */
const RETRY_AFTER_SESSION = 60;
const RETRY_AFTER_SHARD = 30;

interface Count {
  readonly readAt: number;
  value: number;
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

  async function current(key: string, read: () => Promise<number>): Promise<Count> {
    const known = counts.get(key);
    const now = clock.monotonic();
    if (known !== undefined && now - known.readAt < GOOD_FOR_MS) return known;
    const fresh = { readAt: now, value: await read() };
    if (counts.size >= MOST_COUNTS) counts.clear();
    counts.set(key, fresh);
    return fresh;
  }

  return {
    async admit({ name, shard }, kind) {
      const { sessionBacklogCap, shardBacklogCap } = config;
      const [ofShard, ofSession] = await Promise.all([
        current(`shard ${shard}`, () => queue.depth(shard)),
        kind === 'send'
          ? current(`session ${name}`, () => jobs.countOpen(shard, name, sessionBacklogCap))
          : { readAt: 0, value: 0 },
      ]);
      if (kind === 'send' && ofSession.value >= sessionBacklogCap) {
        throw new SessionBacklogError(sessionBacklogCap, RETRY_AFTER_SESSION);
      }
      if (ofShard.value >= shardBacklogCap) throw new ShardBacklogError(RETRY_AFTER_SHARD);
      ofSession.value += 1;
      ofShard.value += 1;
    },
  };
}
