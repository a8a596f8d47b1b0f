import { describe, expect, it } from 'vitest';
import { createMetrics, METRICS } from './metrics.ts';

function setUp(mode: 'emf' | 'off') {
  const lines: string[] = [];
  const metrics = createMetrics({
    namespace: 'trunkline-dev',
    mode,
    destination: { write: (line) => lines.push(line) },
    now: () => 1_700_000_000_000,
  });
  return { metrics, lines };
}

describe('metrics', () => {
  it('are one line of the Embedded Metric Format each time', () => {
    const { metrics, lines } = setUp('emf');
    metrics.emit(
      { Pool: 'socket' },
      [
        [METRICS.connectedSessions, 12],
        [METRICS.hostAskedAfter, 340],
      ],
      { host: 'host-1' },
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      host: 'host-1',
      Pool: 'socket',
      ConnectedSessions: 12,
      HostAskedAfter: 340,
      _aws: {
        Timestamp: 1_700_000_000_000,
        CloudWatchMetrics: [
          {
            Namespace: 'trunkline-dev',
            Dimensions: [['Pool']],
            Metrics: [
              { Name: 'ConnectedSessions', Unit: 'Count' },
              { Name: 'HostAskedAfter', Unit: 'Milliseconds' },
            ],
          },
        ],
      },
    });
  });

  it('are not hidden by a field of the same name', () => {
    const { metrics, lines } = setUp('emf');
    metrics.emit({ Pool: 'socket' }, [[METRICS.messagesIn, 3]], { MessagesIn: 'x', Pool: 'y' });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ MessagesIn: 3, Pool: 'socket' });
  });

  it('are nothing when they are off', () => {
    const { metrics, lines } = setUp('off');
    metrics.emit({ Pool: 'socket' }, [[METRICS.messagesIn, 3]]);
    expect(lines).toEqual([]);
  });

  it('are not emitted without a value', () => {
    const { metrics, lines } = setUp('emf');
    metrics.emit({ Pool: 'socket' }, []);
    expect(lines).toEqual([]);
  });

  it('have names of their own', () => {
    const names = Object.values(METRICS).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
