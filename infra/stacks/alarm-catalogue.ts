import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS, type Metric as PlatformMetric } from '#shared/observability/metrics.ts';
import type { HostPool } from '../config/pools.ts';
import { type AlarmDefinition, FIVE_MINUTES, MINUTE } from '../constructs/alarms.ts';
import { API_STAGE } from '../constructs/regional-api.ts';
import type { Installation } from '../installation.ts';

const sum = (namespace: string, metricName: string, dimensionsMap: Record<string, string>, period = FIVE_MINUTES) =>
  new Metric({ namespace, metricName, dimensionsMap, period, statistic: Stats.SUM });
const highest = (namespace: string, metricName: string, dimensionsMap: Record<string, string>, period = MINUTE) =>
  new Metric({ namespace, metricName, dimensionsMap, period, statistic: Stats.MAXIMUM });

/** What webhooks' deliveries are counted under: they are no pool's. */
const WEBHOOKS = { Pool: 'socket' };

/** What wakes somebody up. Names are headings of the runbook; a test holds the two together. */
export function alarmCatalogue(installation: Installation): readonly AlarmDefinition[] {
  return [
    ...apiAlarms(installation),
    ...queueAlarms(installation),
    ...tableAlarms(installation),
    ...installation.pools.flatMap((pool) => poolAlarms(installation, pool)),
    ...(installation.settings.eventStream ? [handshakesFailing(installation)] : []),
    ...webhookAlarms(installation),
  ];
}

/** Those of the socket pool have no name besides their own. */
function poolAlarms(installation: Installation, pool: HostPool): readonly AlarmDefinition[] {
  const alarms = [
    ...hostAlarms(installation, pool),
    ...fleetAlarms(installation, pool),
    ...sessionAlarms(installation, pool),
  ];
  return pool.name === 'socket' ? alarms : alarms.map((alarm) => ({ ...alarm, of: pool.name }));
}

function apiAlarms({ names, settings }: Installation): readonly AlarmDefinition[] {
  const apis = [names.prefix, ...(settings.iamApi ? [`${names.prefix}-iam`] : [])];
  const ofApi = (name: string) => ({ ApiName: name, Stage: API_STAGE });
  return [
    ...apis.map(
      (api, index): AlarmDefinition => ({
        name: 'api-server-errors',
        ...(index > 0 && { of: 'iam' }),
        says: 'The API answers requests with server errors.',
        metric: sum('AWS/ApiGateway', '5XXError', ofApi(api)),
        above: 5,
        periods: 2,
      }),
    ),
    {
      name: 'api-slow',
      says: 'Half of the API’s requests take longer than a second and a half.',
      metric: new Metric({
        namespace: 'AWS/ApiGateway',
        metricName: 'IntegrationLatency',
        dimensionsMap: ofApi(names.prefix),
        period: FIVE_MINUTES,
        statistic: Stats.p(50),
      }),
      above: 1_500,
      periods: 3,
    },
    {
      name: 'functions-throttled',
      says: 'Lambda refuses calls: the account’s functions run as often at once as they may.',
      metric: sum('AWS/Lambda', 'Throttles', {}),
      above: 0,
      periods: 2,
    },
    {
      name: 'capacity-failing',
      says: 'Nobody decides how many engine hosts there are.',
      metric: failuresOrSilence(`${names.prefix}-capacity`),
      above: 2,
      periods: 2,
      withoutData: 'bad',
    },
    {
      name: 'reconciler-failing',
      says: 'Lost wake-ups of jobs are not found again.',
      metric: failuresOrSilence(`${names.prefix}-reconciler`),
      above: 2,
      periods: 2,
      withoutData: 'bad',
    },
  ];
}

/** Of a function that a schedule calls every minute. What is never called has no errors: five silent minutes are five failures. */
function failuresOrSilence(FunctionName: string): MathExpression {
  return new MathExpression({
    expression: 'IF(FILL(calls, 0) < 1, 5, FILL(errors, 0))',
    usingMetrics: {
      calls: sum('AWS/Lambda', 'Invocations', { FunctionName }),
      errors: sum('AWS/Lambda', 'Errors', { FunctionName }),
    },
    period: FIVE_MINUTES,
  });
}

function queueAlarms({ names, resources }: Installation): readonly AlarmDefinition[] {
  const visible = (QueueName: string) => highest('AWS/SQS', 'ApproximateNumberOfMessagesVisible', { QueueName });
  return [
    {
      name: 'shard-dead-letters',
      says: 'Jobs could not be read, or made hosts fail again and again.',
      metric: visible(names.queues.shardDeadLetters),
      above: 0,
    },
    {
      name: 'projector-dead-letters',
      says: 'Events could not be written into the read models.',
      metric: visible(names.queues.projectorDeadLetters),
      above: 0,
    },
    ...[names.queues.streamsDeadLetters, names.queues.streamTasksDeadLetters].map(
      (queue): AlarmDefinition => ({
        name: 'stream-dead-letters',
        of: queue.includes('tasks') ? 'tasks' : 'events',
        says: 'Event streams could not be woken or written to.',
        metric: visible(queue),
        above: 0,
      }),
    ),
    {
      name: 'stream-dead-letters',
      of: 'again',
      says: 'Event streams could not be woken or written to, and it is tried again.',
      metric: sum(names.prefix, METRICS.streamsBroughtBack.name, WEBHOOKS),
      above: 0,
    },
    {
      name: 'stream-behind',
      says: 'Event streams are more than a minute behind.',
      metric: highest('AWS/SQS', 'ApproximateAgeOfOldestMessage', { QueueName: names.queues.streamTasks }),
      above: 60,
      periods: 3,
    },
    {
      name: 'capacity-dead-letters',
      says: 'Signals about sessions and hosts could not be handled.',
      metric: visible(names.queues.capacityDeadLetters),
      above: 0,
    },
    {
      name: 'projector-behind',
      says: 'The read models are more than five minutes behind.',
      metric: highest('AWS/SQS', 'ApproximateAgeOfOldestMessage', { QueueName: names.queues.projector }),
      above: 300,
      periods: 3,
    },
    ...resources.rules.map(
      ({ name, bus }): AlarmDefinition => ({
        name: 'bus-delivery-failing',
        of: name.replace(`${names.prefix}-`, ''),
        says: 'EventBridge cannot hand events to a rule’s target.',
        metric: undelivered({ ...(bus === undefined && { EventBusName: names.bus }), RuleName: name }),
        above: 0,
      }),
    ),
  ];
}

/** Every target has a dead-letter queue: what cannot be handed over at all is put there, or lost. */
function undelivered(rule: Record<string, string>): MathExpression {
  return new MathExpression({
    expression: 'FILL(aside, 0) + FILL(lost, 0)',
    // Rules of the account's own bus are counted without its name.
    usingMetrics: {
      aside: sum('AWS/Events', 'InvocationsSentToDlq', rule),
      lost: sum('AWS/Events', 'InvocationsFailedToBeSentToDlq', rule),
    },
    period: FIVE_MINUTES,
  });
}

function handshakesFailing({ names }: Installation): AlarmDefinition {
  return {
    name: 'stream-connections-failing',
    says: 'Event streams cannot be opened.',
    metric: sum('AWS/Lambda', 'Errors', { FunctionName: `${names.prefix}-stream-connections` }),
    // One client alone that tries again less and less often, as it should, still reaches it.
    above: 2,
    periods: 2,
  };
}

function webhookAlarms({ names }: Installation): readonly AlarmDefinition[] {
  const { webhooks, webhooksDeadLetters, webhookEndpoints, webhookEndpointsDeadLetters } = names.queues;
  const deadLetters = (QueueName: string) => highest('AWS/SQS', 'ApproximateNumberOfMessagesVisible', { QueueName });
  const age = (QueueName: string) => highest('AWS/SQS', 'ApproximateAgeOfOldestMessage', { QueueName });
  const total = ({ name }: PlatformMetric) => sum(names.prefix, name, WEBHOOKS);
  return [
    {
      name: 'webhook-dead-letters',
      of: 'fanout',
      says: 'It could not be found out which webhooks an event is for.',
      metric: deadLetters(webhooksDeadLetters),
      above: 0,
    },
    {
      name: 'webhook-dead-letters',
      of: 'dispatcher',
      says: 'The webhooks of a session could not be served.',
      metric: deadLetters(webhookEndpointsDeadLetters),
      above: 0,
    },
    {
      name: 'webhook-dead-letters',
      of: 'again',
      says: 'Webhooks could not be served, and are tried again.',
      metric: total(METRICS.webhooksBroughtBack),
      above: 0,
    },
    {
      name: 'webhook-dispatcher-failing',
      says: 'The function that delivers to webhooks crashes, or takes too long.',
      metric: sum('AWS/Lambda', 'Errors', { FunctionName: `${names.prefix}-webhook-dispatcher` }),
      above: 5,
      periods: 2,
    },
    {
      name: 'webhooks-behind',
      of: 'dispatcher',
      says: 'Webhooks wait for more than five minutes to be served.',
      metric: age(webhookEndpoints),
      above: 300,
      periods: 3,
    },
    {
      name: 'webhooks-behind',
      of: 'fanout',
      says: 'Events wait for more than five minutes to be handed to webhooks.',
      // Timers lie in this queue for up to 15 minutes.
      metric: age(webhooks),
      above: 1_200,
      periods: 3,
    },
    {
      name: 'webhook-deliveries-failing',
      says: 'More than half of the tries to deliver to webhooks fail.',
      metric: new MathExpression({
        expression: 'IF(failed > 100, 100 * failed / (failed + delivered), 0)',
        usingMetrics: { failed: total(METRICS.webhookFailures), delivered: total(METRICS.webhookDeliveries) },
        period: FIVE_MINUTES,
      }),
      above: 50,
      periods: 3,
    },
  ];
}

function tableAlarms({ names }: Installation): readonly AlarmDefinition[] {
  return Object.entries(names.tables).map(([id, TableName]) => ({
    name: 'table-throttled',
    of: id,
    says: 'DynamoDB refuses reads or writes of a table for their number.',
    metric: new MathExpression({
      // A metric of throttles has no value where there are none.
      expression: 'FILL(reads, 0) + FILL(writes, 0)',
      usingMetrics: {
        reads: sum('AWS/DynamoDB', 'ReadThrottleEvents', { TableName }),
        writes: sum('AWS/DynamoDB', 'WriteThrottleEvents', { TableName }),
      },
      period: FIVE_MINUTES,
    }),
    above: 10,
    periods: 2,
  }));
}

function hostAlarms({ cluster }: Installation, pool: HostPool): readonly AlarmDefinition[] {
  const service = { ClusterName: cluster, ServiceName: pool.service };
  const percent = (metricName: string) =>
    new Metric({
      namespace: 'AWS/ECS',
      metricName,
      dimensionsMap: service,
      period: FIVE_MINUTES,
      statistic: Stats.AVERAGE,
    });
  return [
    {
      name: 'hosts-short-of-memory',
      says: 'Engine hosts use most of their memory.',
      metric: percent('MemoryUtilization'),
      above: 85,
      periods: 3,
    },
    {
      name: 'hosts-short-of-cpu',
      says: 'Engine hosts use most of their CPU.',
      metric: percent('CPUUtilization'),
      above: 80,
      periods: 3,
    },
  ];
}

/** Of what the capacity function emits. */
function fleetAlarms({ names }: Installation, pool: HostPool): readonly AlarmDefinition[] {
  const dimensions = { Pool: pool.name };
  const most = ({ name }: PlatformMetric) => highest(names.prefix, name, dimensions);
  return [
    {
      name: 'hosts-missing',
      says: 'Fewer engine hosts run than are wanted.',
      metric: new MathExpression({
        // ECS counts nothing where no task runs. When capacity is silent too, `capacity-failing` says so.
        expression: 'FILL(wanted, 0) - FILL(running, 0)',
        usingMetrics: { wanted: most(METRICS.hostsWanted), running: most(METRICS.hostsRunning) },
        period: MINUTE,
      }),
      above: 0,
      periods: 8,
      outOf: 10,
    },
    {
      name: 'hosts-at-limit',
      says: 'The sessions take more hosts than there may be.',
      metric: most(METRICS.poolLoad),
      above: pool.maxHosts * pool.unitsPerHost,
      periods: 5,
    },
    {
      name: 'shards-without-host',
      says: 'Sessions want to run, and nobody runs their shard.',
      metric: new MathExpression({
        expression: 'IF(load > 0, orphans, 0)',
        usingMetrics: { load: most(METRICS.poolLoad), orphans: most(METRICS.shardsWithoutHost) },
        period: MINUTE,
      }),
      above: 0,
      periods: 8,
      outOf: 10,
    },
    {
      name: 'hosts-dying',
      says: 'Engine hosts end without having handed over.',
      metric: sum(names.prefix, METRICS.hostDeaths.name, dimensions),
      above: 2,
    },
  ];
}

/** Of what hosts emit. */
function sessionAlarms({ names }: Installation, pool: HostPool): readonly AlarmDefinition[] {
  const dimensions = { Pool: pool.name };
  const total = ({ name }: PlatformMetric) => sum(names.prefix, name, dimensions);
  return [
    {
      name: 'sends-failing',
      says: 'More than a tenth of the sends end as failed.',
      metric: new MathExpression({
        expression: 'IF(failed > 20, 100 * failed / (failed + sent), 0)',
        usingMetrics: { failed: total(METRICS.sendFailures), sent: total(METRICS.messagesOut) },
        period: FIVE_MINUTES,
      }),
      above: 10,
      periods: 2,
    },
    {
      name: 'sessions-failing',
      says: 'Many sessions have become FAILED at once.',
      metric: total(METRICS.sessionFailures),
      above: 10,
    },
    {
      name: 'server-distrusted',
      says: 'Sessions refuse the server they reach, or a pairing: nobody proved who they are.',
      metric: total(METRICS.sessionsDistrusting),
      above: 0,
    },
    {
      name: 'events-waiting',
      says: 'The bus does not take what the hosts have to tell.',
      metric: highest(names.prefix, METRICS.eventsWaiting.name, dimensions),
      above: 1_000,
      periods: 5,
    },
  ];
}
