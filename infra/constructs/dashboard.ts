import {
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  Metric,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { Pool } from '#shared/contracts/resources.ts';
import { METRICS, type Metric as PlatformMetric } from '#shared/observability/metrics.ts';
import type { HostPool } from '../config/pools.ts';
import type { Installation } from '../installation.ts';
import { FIVE_MINUTES, MINUTE } from './alarms.ts';
import { API_STAGE } from './regional-api.ts';

const THIRD = 8;

/** The state of an installation on one page. */
export function dashboard(scope: Construct, installation: Installation): Dashboard {
  const { names, pools } = installation;
  const [socket, ...others] = pools;
  return new Dashboard(scope, 'Dashboard', {
    dashboardName: names.prefix,
    widgets: [
      apiRow(installation),
      sessionRow(installation),
      queueRow(installation),
      hostRow(installation, socket),
      fleetRow(installation),
      webhookRow(installation),
      ...others.map((pool) => poolRow(installation, pool)),
    ],
  });
}

const graph = (title: string, left: readonly IMetric[], right: readonly IMetric[] = []): IWidget =>
  new GraphWidget({ title, left: [...left], right: [...right], width: THIRD, height: 6 });

const metric = (
  namespace: string,
  metricName: string,
  dimensionsMap: Record<string, string>,
  statistic: string,
  label = metricName,
): Metric => new Metric({ namespace, metricName, dimensionsMap, statistic, label, period: MINUTE });

function apiRow({ names, settings }: Installation): IWidget[] {
  const apis = [names.prefix, ...(settings.iamApi ? [`${names.prefix}-iam`] : [])];
  const each = (name: string, statistic: string) =>
    apis.map((ApiName) =>
      metric('AWS/ApiGateway', name, { ApiName, Stage: API_STAGE }, statistic, `${ApiName} ${name}`),
    );
  return [
    graph('Requests', each('Count', Stats.SUM)),
    graph('Errors', [...each('4XXError', Stats.SUM), ...each('5XXError', Stats.SUM)]),
    graph('Milliseconds', [...each('Latency', Stats.p(50)), ...each('Latency', Stats.p(99))]),
  ];
}

function queueRow({ names }: Installation): IWidget[] {
  const ofQueue = (QueueName: string, name: string, label: string) =>
    metric('AWS/SQS', name, { QueueName }, Stats.MAXIMUM, label);
  const shards = names.shardQueue('').replace('.fifo', '');
  return [
    graph('Jobs waiting, all shards', [
      new MathExpression({
        expression: `SUM(SEARCH('{AWS/SQS,QueueName} MetricName="ApproximateNumberOfMessagesVisible" "${shards}"', 'Maximum', 60))`,
        label: 'messages',
        period: MINUTE,
      }),
    ]),
    graph(
      'Read models',
      [ofQueue(names.queues.projector, 'ApproximateAgeOfOldestMessage', 'seconds behind')],
      [ofQueue(names.queues.projector, 'ApproximateNumberOfMessagesVisible', 'events waiting')],
    ),
    graph('Dead letters', [
      ofQueue(names.queues.shardDeadLetters, 'ApproximateNumberOfMessagesVisible', 'jobs'),
      ofQueue(names.queues.projectorDeadLetters, 'ApproximateNumberOfMessagesVisible', 'events'),
      ofQueue(names.queues.capacityDeadLetters, 'ApproximateNumberOfMessagesVisible', 'signals'),
    ]),
  ];
}

/** A metric of ours. Hosts tell theirs each once a minute, so their sum within one is the pool's. */
const ours = ({ names }: Installation, { name }: PlatformMetric, statistic: string, pool: Pool = 'socket'): Metric =>
  metric(names.prefix, name, { Pool: pool }, statistic);

function sessionRow(installation: Installation): IWidget[] {
  const sums = (...all: readonly PlatformMetric[]) => all.map((one) => ours(installation, one, Stats.SUM));
  return [
    graph(
      'Sessions',
      sums(METRICS.connectedSessions, METRICS.heldSessions),
      sums(METRICS.sessionFailures, METRICS.sessionsDistrusting),
    ),
    graph('Messages', sums(METRICS.messagesIn, METRICS.messagesOut), sums(METRICS.sendFailures)),
    graph('Jobs that have not ended', sums(METRICS.openJobs), [
      ours(installation, METRICS.oldestJobAge, Stats.MAXIMUM),
    ]),
  ];
}

function webhookRow(installation: Installation): IWidget[] {
  const { webhooksDeadLetters, webhookEndpoints, webhookEndpointsDeadLetters } = installation.names.queues;
  const sums = (...all: readonly PlatformMetric[]) => all.map((one) => ours(installation, one, Stats.SUM));
  const ofQueue = (QueueName: string, name: string, label: string) =>
    metric('AWS/SQS', name, { QueueName }, Stats.MAXIMUM, label);
  return [
    graph('Webhooks', sums(METRICS.webhookDeliveries), sums(METRICS.webhookFailures, METRICS.webhooksGivenUp)),
    graph('Webhooks waiting', [
      ofQueue(webhookEndpoints, 'ApproximateAgeOfOldestMessage', 'seconds'),
      ofQueue(webhookEndpoints, 'ApproximateNumberOfMessagesVisible', 'wake-ups'),
    ]),
    graph('Dead letters of webhooks', [
      ofQueue(webhooksDeadLetters, 'ApproximateNumberOfMessagesVisible', 'events'),
      ofQueue(webhookEndpointsDeadLetters, 'ApproximateNumberOfMessagesVisible', 'wake-ups'),
      ...sums(METRICS.webhooksBroughtBack),
    ]),
  ];
}

function fleetRow(installation: Installation): IWidget[] {
  const most = (...all: readonly PlatformMetric[]) => all.map((one) => ours(installation, one, Stats.MAXIMUM));
  const sums = (...all: readonly PlatformMetric[]) => all.map((one) => ours(installation, one, Stats.SUM));
  return [
    graph('Hosts that the load takes', most(METRICS.hostsNeeded, METRICS.hostsWanted), most(METRICS.poolLoad)),
    graph(
      'Take-overs, and starts of sessions',
      sums(METRICS.failovers, METRICS.hostDeaths, METRICS.hostStarts, METRICS.sessionStarts),
      most(METRICS.shardsWithoutHost),
    ),
    graph(
      'Jobs woken and expired, events waiting',
      sums(METRICS.jobsWoken, METRICS.jobsExpired),
      most(METRICS.eventsWaiting),
    ),
  ];
}

/** Of a pool besides that of sockets, in short. */
function poolRow(installation: Installation, pool: HostPool): IWidget[] {
  const [tasks, usage] = serviceMetrics(installation, pool);
  const ofPool = (one: PlatformMetric, statistic: string) => ours(installation, one, statistic, pool.name);
  return [
    graph(
      `Sessions of the pool ${pool.name}`,
      [METRICS.connectedSessions, METRICS.heldSessions].map((one) => ofPool(one, Stats.SUM)),
      [ofPool(METRICS.sessionFailures, Stats.SUM)],
    ),
    graph(`Hosts of the pool ${pool.name}`, tasks, [ofPool(METRICS.poolLoad, Stats.MAXIMUM)]),
    graph('Their CPU and memory, percent', usage),
  ];
}

/** How many tasks a pool's service has, and what they use. */
function serviceMetrics({ cluster }: Installation, { service }: HostPool): readonly [IMetric[], IMetric[]] {
  const dimensions = { ClusterName: cluster, ServiceName: service };
  return [
    [
      metric('ECS/ContainerInsights', 'DesiredTaskCount', dimensions, Stats.MAXIMUM, 'wanted'),
      metric('ECS/ContainerInsights', 'RunningTaskCount', dimensions, Stats.MAXIMUM, 'running'),
    ],
    [
      metric('AWS/ECS', 'CPUUtilization', dimensions, Stats.MAXIMUM, 'CPU'),
      metric('AWS/ECS', 'MemoryUtilization', dimensions, Stats.MAXIMUM, 'memory'),
    ],
  ];
}

function hostRow(installation: Installation, pool: HostPool): IWidget[] {
  const { names } = installation;
  const [tasks, usage] = serviceMetrics(installation, pool);
  return [
    graph('Engine hosts', tasks),
    graph('CPU and memory of hosts, percent', usage),
    graph(
      'Requests to tables that were refused',
      Object.values(names.tables).map(
        (TableName) =>
          new Metric({
            namespace: 'AWS/DynamoDB',
            metricName: 'WriteThrottleEvents',
            dimensionsMap: { TableName },
            statistic: Stats.SUM,
            label: TableName,
            period: FIVE_MINUTES,
          }),
      ),
    ),
  ];
}
