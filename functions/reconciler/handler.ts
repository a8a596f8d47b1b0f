import type { Context } from 'aws-lambda';
import type { Logger } from '#shared/observability/logger.ts';
import { METRICS, type Metrics } from '#shared/observability/metrics.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { DeadLetters } from '#shared/ports/dead-letters.ts';
import type { Reconciled, Reconciler } from './reconciler.ts';

export interface ReconcilerHandlerDeps {
  readonly reconcile: Reconciler;
  readonly shards: readonly string[];
  readonly deadLetters: { readonly webhooks: DeadLetters; readonly streams: DeadLetters };
  readonly clock: Pick<Clock, 'now'>;
  readonly metrics: Metrics;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

/** Some shards, or the dead letters of webhooks or streams, could not be looked at; the next run sees to them. */
export class ReconcilerError extends Error {}

const AT_ONCE = 16;
/** Nothing is begun any more when the function has less time left: what is under way, and its repetitions, fit into it. */
const RESERVE_MS = 15_000;
/** Jobs leave so much to dead letters, however many there are. */
const DEAD_LETTERS_MS = 15_000;
const MINUTE_MS = 60_000;
const GOLDEN_RATIO = 0.618_033_988_75;

/**
 * One look at every shard, several at a time, as far as the time goes, and then, for as long as there is some, at what webhooks and
 * streams have not got. What it has found out about jobs is told before that.
 *
 * @throws ReconcilerError when some failed, after the others are done, so that the failure is counted
 */
export function createReconcilerHandler({
  reconcile,
  shards,
  deadLetters,
  clock,
  metrics,
  logger,
}: ReconcilerHandlerDeps) {
  return async (_event: unknown, context: Pick<Context, 'getRemainingTimeInMillis'>): Promise<Reconciled> => {
    const sum = { open: 0, oldestMs: 0, woken: 0, expired: 0 };
    const mayGoOn = () => context.getRemainingTimeInMillis() > RESERVE_MS;
    const mayChangeJobs = () => context.getRemainingTimeInMillis() > RESERVE_MS + DEAD_LETTERS_MS;
    const waiting = inTurn(shards, clock.now());
    let failures = 0;
    const work = async () => {
      while (mayChangeJobs()) {
        const shard = waiting.shift();
        if (shard === undefined) return;
        try {
          const done = await reconcile(shard, mayChangeJobs);
          sum.open += done.open;
          sum.oldestMs = Math.max(sum.oldestMs, done.oldestMs);
          sum.woken += done.woken;
          sum.expired += done.expired;
          if (done.woken + done.expired > 0) logger.info({ shard, ...done }, 'jobs reconciled');
        } catch (error) {
          failures += 1;
          logger.warn({ err: error, shard }, 'jobs not reconciled');
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (waiting.length > 0) logger.warn({ shards: waiting.length }, 'shards are left to the next run');
    metrics.emit({ Pool: 'socket' }, [
      [METRICS.openJobs, sum.open],
      [METRICS.oldestJobAge, Math.round(sum.oldestMs / 1000)],
      [METRICS.jobsWoken, sum.woken],
      [METRICS.jobsExpired, sum.expired],
    ]);
    const [webhooks, streams] = await Promise.all([
      deadLetters.webhooks.bringBack(mayGoOn),
      deadLetters.streams.bringBack(mayGoOn),
    ]);
    metrics.emit({ Pool: 'socket' }, [
      [METRICS.webhooksBroughtBack, webhooks.count],
      [METRICS.streamsBroughtBack, streams.count],
    ]);
    for (const [of, { count, failure }] of Object.entries({ webhooks, streams })) {
      if (count > 0) logger.warn({ of, broughtBack: count }, 'dead letters are tried again');
      if (failure === undefined) continue;
      failures += 1;
      logger.warn({ of, err: failure }, 'dead letters not tried again');
    }
    if (failures > 0) throw new ReconcilerError(`${failures} of ${shards.length + 2} things could not be seen to`);
    return sum;
  };
}

/**
 * What one run leaves has to come first in a later one. So each minute begins elsewhere, a golden section on: whatever part of
 * the shards a run has time for, all have been seen after few.
 */
function inTurn(shards: readonly string[], now: number): string[] {
  const start = Math.floor(((Math.floor(now / MINUTE_MS) * GOLDEN_RATIO) % 1) * shards.length);
  return [...shards.slice(start), ...shards.slice(0, start)];
}
