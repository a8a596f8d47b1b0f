import type { QueueDefinition } from './resource-shapes.ts';
import { type ResourceNames, shardIds } from './resources.ts';

/** How long what a dead host had in hand, and all that its sessions send after it, waits. Hosts extend it meanwhile. */
export const SHARD_VISIBILITY_SECONDS = 15;

/** Not less than the dispatcher's timeout, or AWS refuses it. While it works, the dispatcher holds a wake-up for a shorter time. */
const WEBHOOK_VISIBILITY_SECONDS = 30;

/**
 * @param shards how many the socket pool has
 * @param browserShards how many the browser pool has
 */
export function queueDefinitions(
  shards: number,
  { queues, shardQueue }: ResourceNames,
  browserShards: number,
): readonly QueueDefinition[] {
  return [
    { name: queues.shardDeadLetters, fifo: true, visibilityTimeoutSeconds: 30 },
    { name: queues.projectorDeadLetters, fifo: false, visibilityTimeoutSeconds: 30 },
    { name: queues.capacityDeadLetters, fifo: false, visibilityTimeoutSeconds: 30 },
    { name: queues.streamsDeadLetters, fifo: false, visibilityTimeoutSeconds: 30 },
    { name: queues.streamTasksDeadLetters, fifo: true, visibilityTimeoutSeconds: 30 },
    { name: queues.webhooksDeadLetters, fifo: false, visibilityTimeoutSeconds: 30 },
    { name: queues.webhookEndpointsDeadLetters, fifo: true, visibilityTimeoutSeconds: 30 },
    ...[...shardIds('socket', shards), ...shardIds('browser', browserShards)].map((shard) => ({
      name: shardQueue(shard),
      fifo: true,
      visibilityTimeoutSeconds: SHARD_VISIBILITY_SECONDS,
      deadLetterQueue: queues.shardDeadLetters,
      maxReceiveCount: 1000,
    })),
    {
      name: queues.projector,
      fifo: false,
      visibilityTimeoutSeconds: 60,
      deadLetterQueue: queues.projectorDeadLetters,
      maxReceiveCount: 10,
    },
    {
      name: queues.capacity,
      fifo: false,
      // Not less than the function's own timeout.
      visibilityTimeoutSeconds: 60,
      deadLetterQueue: queues.capacityDeadLetters,
      maxReceiveCount: 5,
    },
    {
      name: queues.streams,
      fifo: false,
      visibilityTimeoutSeconds: 60,
      deadLetterQueue: queues.streamsDeadLetters,
      maxReceiveCount: 10,
    },
    {
      name: queues.streamTasks,
      fifo: true,
      // A stream waits so long for the next try of what failed. Above the function's timeout: two would write to it at once.
      visibilityTimeoutSeconds: 60,
      deadLetterQueue: queues.streamTasksDeadLetters,
      maxReceiveCount: 10,
    },
    {
      name: queues.webhooks,
      fifo: false,
      visibilityTimeoutSeconds: 30,
      deadLetterQueue: queues.webhooksDeadLetters,
      maxReceiveCount: 10,
    },
    {
      name: queues.webhookEndpoints,
      fifo: true,
      visibilityTimeoutSeconds: WEBHOOK_VISIBILITY_SECONDS,
      deadLetterQueue: queues.webhookEndpointsDeadLetters,
      maxReceiveCount: 20,
    },
  ];
}
