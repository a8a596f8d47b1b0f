import type { Pool } from '#shared/contracts/resources.ts';
import { METRICS, type Metrics } from '#shared/observability/metrics.ts';
import type { Host } from './host.ts';
import type { MeteredEventBus } from './metered-event-bus.ts';

const EVERY_MS = 60_000;
const MEGABYTE = 1024 * 1024;

export interface HostMetricsDeps {
  readonly host: Pick<Host, 'hostId' | 'figures'>;
  readonly pool: Pool;
  readonly bus: Pick<MeteredEventBus, 'take'>;
  readonly metrics: Metrics;
}

/**
 * Emits a host's metrics every minute.
 * @returns emits the last ones, and no more
 */
export function startHostMetrics({ host, pool, bus, metrics }: HostMetricsDeps): () => void {
  let failovers = 0;
  let registrations = 0;
  const emit = () => {
    const now = host.figures;
    const counts = bus.take();
    metrics.emit(
      { Pool: pool },
      [
        [METRICS.connectedSessions, now.working],
        [METRICS.heldSessions, now.sessions],
        [METRICS.hostLoad, now.load],
        [METRICS.hostMemory, Math.round(process.memoryUsage.rss() / MEGABYTE)],
        [METRICS.messagesIn, counts.messagesIn],
        [METRICS.messagesOut, counts.messagesOut],
        [METRICS.sendFailures, counts.sendFailures],
        [METRICS.sessionStarts, counts.sessionStarts],
        [METRICS.sessionFailures, counts.sessionFailures],
        [METRICS.sessionsDistrusting, counts.sessionsDistrusting],
        [METRICS.eventsWaiting, now.eventsWaiting],
        [METRICS.failovers, now.failovers - failovers],
        [METRICS.hostStarts, now.registrations - registrations],
      ],
      { host: host.hostId },
    );
    failovers = now.failovers;
    registrations = now.registrations;
  };
  const timer = setInterval(emit, EVERY_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    emit();
  };
}
