type Unit = 'Count' | 'Milliseconds' | 'Seconds' | 'Megabytes' | 'None';

export interface Metric {
  readonly name: string;
  readonly unit: Unit;
}

/** All metrics, for whoever emits them and for the dashboard and alarms that read them. */
export const METRICS = {
  // Of each host, once a minute.
  connectedSessions: { name: 'ConnectedSessions', unit: 'Count' },
  /** Sessions that the hosts have something to do for, connected or not. */
  heldSessions: { name: 'HeldSessions', unit: 'Count' },
  /** What they weigh, in units. */
  hostLoad: { name: 'HostLoad', unit: 'None' },
  hostMemory: { name: 'HostMemory', unit: 'Megabytes' },
  messagesIn: { name: 'MessagesIn', unit: 'Count' },
  messagesOut: { name: 'MessagesOut', unit: 'Count' },
  sendFailures: { name: 'SendFailures', unit: 'Count' },
  /** Sessions that were started or started over. */
  sessionStarts: { name: 'SessionStarts', unit: 'Count' },
  /** Sessions that have become FAILED. */
  sessionFailures: { name: 'SessionFailures', unit: 'Count' },
  /** Sessions that have begun to refuse the server they reach, or have refused a pairing: nobody proved who they are. */
  sessionsDistrusting: { name: 'SessionsDistrusting', unit: 'Count' },
  /** Events that the bus has not taken yet. */
  eventsWaiting: { name: 'EventsWaiting', unit: 'Count' },
  /** Shards that were taken over from a host that had died. */
  failovers: { name: 'Failovers', unit: 'Count' },
  /** Registrations of hosts: starts, and beginnings anew after a lost heartbeat. */
  hostStarts: { name: 'HostStarts', unit: 'Count' },

  // Of the reconciler, once a minute; about jobs, of the shards that it had time for.
  /** Jobs that have not ended, those that wait for their turn included. */
  openJobs: { name: 'OpenJobs', unit: 'Count' },
  /** Age of the oldest of them. */
  oldestJobAge: { name: 'OldestJobAge', unit: 'Seconds' },
  /** Messages that the reconciler had to send again. */
  jobsWoken: { name: 'JobsWoken', unit: 'Count' },
  jobsExpired: { name: 'JobsExpired', unit: 'Count' },
  /** Dead letters of webhooks that were put back into their queues. */
  webhooksBroughtBack: { name: 'WebhooksBroughtBack', unit: 'Count' },
  /** The same of event streams. */
  streamsBroughtBack: { name: 'StreamsBroughtBack', unit: 'Count' },

  // Of the dispatcher of webhooks, at each of its runs.
  /** Events that receivers took. */
  webhookDeliveries: { name: 'WebhookDeliveries', unit: 'Count' },
  /** Tries that failed. */
  webhookFailures: { name: 'WebhookFailures', unit: 'Count' },
  /** Events that get no further try. */
  webhooksGivenUp: { name: 'WebhooksGivenUp', unit: 'Count' },

  // Of the capacity function, once a minute and at every signal.
  hostsNeeded: { name: 'HostsNeeded', unit: 'Count' },
  hostsWanted: { name: 'HostsWanted', unit: 'Count' },
  hostsRunning: { name: 'HostsRunning', unit: 'Count' },
  /** What all sessions of a pool weigh that should run. */
  poolLoad: { name: 'PoolLoad', unit: 'None' },
  shardsWithoutHost: { name: 'ShardsWithoutHost', unit: 'Count' },
  /** Hosts that were declared dead because their task had stopped. */
  hostDeaths: { name: 'HostDeaths', unit: 'Count' },
  /** From the start of a session until a host was asked for, where one had to be. */
  hostAskedAfter: { name: 'HostAskedAfter', unit: 'Milliseconds' },
} as const satisfies Readonly<Record<string, Metric>>;

/** All metrics have this one dimension: CloudWatch bills each combination, and hosts come and go. */
export interface MetricDimensions {
  readonly Pool: 'socket' | 'browser';
}

export interface Metrics {
  /** @param fields goes into the line and not into the metrics, e.g. which host it was */
  emit(
    dimensions: MetricDimensions,
    values: readonly (readonly [Metric, number])[],
    fields?: Readonly<Record<string, string>>,
  ): void;
}

export interface MetricsOptions {
  /** In CloudWatch: the installation's prefix, so that two in one account do not add up. */
  readonly namespace: string;
  /** `emf`: CloudWatch's Embedded Metric Format, one JSON line each, which CloudWatch Logs makes metrics of. */
  readonly mode: 'emf' | 'off';
  /** @default standard output */
  readonly destination?: { write(line: string): unknown };
  /** Milliseconds since 1970. @default the system's clock */
  readonly now?: () => number;
}

/** CloudWatch refuses lines with more. */
const MOST_METRICS = 100;

export function createMetrics({
  namespace,
  mode,
  destination = process.stdout,
  now = Date.now,
}: MetricsOptions): Metrics {
  if (mode === 'off') return { emit: () => {} };
  return {
    emit(dimensions, values, fields = {}) {
      if (values.length === 0) return;
      if (values.length > MOST_METRICS) throw new Error(`A line has at most ${MOST_METRICS} metrics`);
      const directive = {
        Namespace: namespace,
        Dimensions: [Object.keys(dimensions)],
        Metrics: values.map(([{ name, unit }]) => ({ Name: name, Unit: unit })),
      };
      const line = {
        ...fields,
        ...dimensions,
        ...Object.fromEntries(values.map(([{ name }, value]) => [name, value])),
        _aws: { Timestamp: now(), CloudWatchMetrics: [directive] },
      };
      destination.write(`${JSON.stringify(line)}\n`);
    },
  };
}
