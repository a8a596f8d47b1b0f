import type { Logger } from '#shared/observability/logger.ts';
import { METRICS, type Metrics } from '#shared/observability/metrics.ts';
import type { WebhookDeadLetters } from '#shared/ports/webhook-dead-letters.ts';
import type { Reconciled, Reconciler } from './reconciler.ts';

export interface ReconcilerHandlerDeps {
  readonly reconcile: Reconciler;
  readonly shards: readonly string[];
  readonly deadLetters: WebhookDeadLetters;
  readonly metrics: Metrics;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

/** Some shards, or the dead letters of webhooks, could not be looked at; the next run sees to them. */
export class ReconcilerError extends Error {}

const AT_ONCE = 16;

/**
 * One look at every shard, several at a time, and then at what webhooks have not got.
 *
 * @throws ReconcilerError when some failed, after the others are done, so that the failure is counted
 */
export function createReconcilerHandler({ reconcile, shards, deadLetters, metrics, logger }: ReconcilerHandlerDeps) {
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
    let broughtBack = 0;
    try {
      broughtBack = await deadLetters.bringBack();
      if (broughtBack > 0) logger.warn({ broughtBack }, 'webhooks are tried again');
    } catch (error) {
      failures += 1;
      logger.warn({ err: error }, 'webhooks not tried again');
    }
    metrics.emit({ Pool: 'socket' }, [
      [METRICS.openJobs, sum.open],
      [METRICS.oldestJobAge, Math.round(sum.oldestMs / 1000)],
      [METRICS.jobsWoken, sum.woken],
      [METRICS.jobsExpired, sum.expired],
      [METRICS.webhooksBroughtBack, broughtBack],
    ]);
    if (failures > 0) throw new ReconcilerError(`${failures} of ${shards.length + 1} things could not be seen to`);
    return sum;
  };
}
