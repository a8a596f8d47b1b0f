import type { Context } from 'aws-lambda';
import type { Logger } from '#shared/observability/logger.ts';
import { METRICS, type Metrics } from '#shared/observability/metrics.ts';
import type { DeadLetters } from '#shared/ports/dead-letters.ts';
import type { Reconciled, Reconciler } from './reconciler.ts';

export interface ReconcilerHandlerDeps {
  readonly reconcile: Reconciler;
  readonly shards: readonly string[];
  readonly deadLetters: { readonly webhooks: DeadLetters; readonly streams: DeadLetters };
  readonly metrics: Metrics;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

/** Some shards, or the dead letters of webhooks or streams, could not be looked at; the next run sees to them. */
export class ReconcilerError extends Error {}

const AT_ONCE = 16;
/** Nothing is begun any more when the function has less time left: what is under way, and its repetitions, fit into it. */
const RESERVE_MS = 15_000;

/**
 * One look at every shard, several at a time, and then, for as long as there is time, at what webhooks and streams have not got. What
 * it has found out about jobs is told before that.
 *
 * @throws ReconcilerError when some failed, after the others are done, so that the failure is counted
 */
export function createReconcilerHandler({ reconcile, shards, deadLetters, metrics, logger }: ReconcilerHandlerDeps) {
  return async (_event: unknown, context: Pick<Context, 'getRemainingTimeInMillis'>): Promise<Reconciled> => {
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
    const mayGoOn = () => context.getRemainingTimeInMillis() > RESERVE_MS;
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
