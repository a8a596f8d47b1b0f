import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Metric } from '#shared/observability/metrics.ts';
import { startHostMetrics } from './host-metrics.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('emits once a minute and at the end, counts as what is new since', () => {
  const emitted: Record<string, number>[] = [];
  const figures = { sessions: 3, working: 2, load: 2.4, eventsWaiting: 5, failovers: 0, registrations: 1 };
  const sends = { messagesIn: 4, messagesOut: 3, sendFailures: 1 };
  const counts = { ...sends, sessionStarts: 2, sessionFailures: 0, sessionsDistrusting: 6 };
  const end = startHostMetrics({
    host: { hostId: 'host-1', figures },
    pool: 'socket',
    bus: { take: () => counts },
    metrics: {
      emit: (dimensions, values: readonly (readonly [Metric, number])[], fields) => {
        expect([dimensions, fields]).toEqual([{ Pool: 'socket' }, { host: 'host-1' }]);
        emitted.push(Object.fromEntries(values.map(([{ name }, value]) => [name, value])));
      },
    },
  });
  vi.advanceTimersByTime(59_999);
  expect(emitted).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(emitted).toEqual([
    {
      ConnectedSessions: 2,
      HeldSessions: 3,
      HostLoad: 2.4,
      HostMemory: expect.any(Number),
      MessagesIn: 4,
      MessagesOut: 3,
      SendFailures: 1,
      SessionStarts: 2,
      SessionFailures: 0,
      SessionsDistrusting: 6,
      EventsWaiting: 5,
      Failovers: 0,
      HostStarts: 1,
    },
  ]);
  figures.failovers = 3;
  vi.advanceTimersByTime(60_000);
  expect(emitted[1]).toMatchObject({ Failovers: 3, HostStarts: 0 });
  end();
  expect(emitted[2]).toMatchObject({ Failovers: 0, HostStarts: 0 });
  vi.advanceTimersByTime(600_000);
  expect(emitted).toHaveLength(3);
});
