import type { Logger } from '#shared/observability/logger.ts';
import { METRICS, type Metrics } from '#shared/observability/metrics.ts';
import type { Reconciled, Reconciler } from './reconciler.ts';

export interface ReconcilerHandlerDeps {
  readonly reconcile: Reconciler;
  readonly shards: readonly string[];
  readonly metrics: Metrics;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

/** Some shards could not be looked at; the next run sees to them. */
export class ReconcilerError extends Error {}

const AT_ONCE = 16;

/**
 * One look at every shard, several at a time.
 *
 * @throws ReconcilerError when some failed, after the others are done, so that the failure is counted
 */
export function createReconcilerHandler({ reconcile, shards, metrics, logger }: ReconcilerHandlerDeps) {
  return async (): Promise<Reconciled> => {
    const sum = { open: 0, oldestMs: 0, woken: 0, expired: 0 };
    const waiting = [...shards];
    let failures = 0;
    const work = async () => {
      for (let shard = waiting.shift(); shard !== undefined; shard = waiting.shift()) {
        try {
          const done = await reconcile(shard);
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
    metrics.emit({ Pool: 'socket' }, [
      [METRICS.openJobs, sum.open],
      [METRICS.oldestJobAge, Math.round(sum.oldestMs / 1000)],
      [METRICS.jobsWoken, sum.woken],
      [METRICS.jobsExpired, sum.expired],
    ]);
    if (failures > 0) throw new ReconcilerError(`${failures} of ${shards.length} shards could not be reconciled`);
    return sum;
  };
}
