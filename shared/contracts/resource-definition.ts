import { PROJECTED_EVENTS } from './events.ts';
import { SESSION_WANTED_PATTERN, TASK_ENDS_PATTERN } from './fleet-events.ts';
import { queueDefinitions } from './queue-definitions.ts';
import type { ResourceDefinition } from './resource-shapes.ts';
import { EVENT_SOURCE, LOCAL_NAMES, type ResourceNames } from './resources.ts';
import { tableDefinitions } from './table-definitions.ts';

/** Batches at the same time. If one of ten events takes a tenth of a second, it is 3,200 a second; 100,000 sessions make some 500. */
const EVENT_CONCURRENCY = 32;
/** Endpoints that are worked for at the same time: as many dead ones as hang at once slow nobody down. */
const WEBHOOK_CONCURRENCY = 32;

/**
 * What the platform needs from AWS, once. The CDK app creates these in an account, the local cloud creates the same
 * ones on a laptop.
 *
 * @param shards how many the socket pool has
 * @param browserShards how many the browser pool has; 0: there is none
 */
export function resourceDefinition(
  shards: number,
  names: ResourceNames = LOCAL_NAMES,
  browserShards = 0,
): ResourceDefinition {
  const { queues, buckets } = names;
  const toCapacity = { id: 'capacity', queue: queues.capacity, deadLetterQueue: queues.capacityDeadLetters };
  return {
    tables: tableDefinitions(names),
    queues: queueDefinitions(shards, names, browserShards),
    buckets: [{ name: buckets.state }, { name: buckets.media }],
    bus: { name: names.bus },
    rules: [
      {
        name: `${names.prefix}-projector`,
        pattern: { source: [EVENT_SOURCE], 'detail-type': PROJECTED_EVENTS },
        targets: [{ id: 'projector', queue: queues.projector, deadLetterQueue: queues.projectorDeadLetters }],
      },
      {
        name: `${names.prefix}-streams`,
        pattern: { source: [EVENT_SOURCE] },
        targets: [{ id: 'streams', queue: queues.streams, deadLetterQueue: queues.streamsDeadLetters }],
      },
      {
        name: `${names.prefix}-webhooks`,
        pattern: { source: [EVENT_SOURCE] },
        targets: [{ id: 'webhooks', queue: queues.webhooks, deadLetterQueue: queues.webhooksDeadLetters }],
      },
      { name: `${names.prefix}-session-wanted`, pattern: SESSION_WANTED_PATTERN, targets: [toCapacity] },
      { name: `${names.prefix}-task-ends`, bus: 'default', pattern: TASK_ENDS_PATTERN, targets: [toCapacity] },
    ],
    eventSources: [
      { queue: queues.projector, function: 'event-projector', batchSize: 10, concurrency: EVENT_CONCURRENCY },
      { queue: queues.streams, function: 'stream-fanout', batchSize: 10, concurrency: EVENT_CONCURRENCY },
      { queue: queues.streamTasks, function: 'stream-sender', batchSize: 5, concurrency: EVENT_CONCURRENCY },
      // Each batch looks at the whole fleet: more at once would only do the same.
      { queue: queues.capacity, function: 'capacity', batchSize: 10, concurrency: 2 },
      // One wake-up at a time: endpoints of one batch would wait for each other. Before the fan-out, because what is started
      // last is stopped first: nobody is to be woken who has stopped.
      {
        queue: queues.webhookEndpoints,
        function: 'webhook-dispatcher',
        batchSize: 1,
        concurrency: WEBHOOK_CONCURRENCY,
      },
      { queue: queues.webhooks, function: 'webhook-fanout', batchSize: 10, concurrency: EVENT_CONCURRENCY },
    ],
    schedules: [
      { name: `${names.prefix}-reconciler`, function: 'reconciler', everySeconds: 60 },
      { name: `${names.prefix}-capacity`, function: 'capacity', everySeconds: 60 },
    ],
  };
}
