import { Duration, NestedStack } from 'aws-cdk-lib';
import {
  type DeadLetterQueue,
  DeduplicationScope,
  FifoThroughputLimit,
  Queue,
  QueueEncryption,
  type QueueProps,
} from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { QueueDefinition } from '#shared/contracts/resource-shapes.ts';

/** A template has room for 500 resources; a queue with its policy is two. */
const QUEUES_IN_A_STACK = 200;
const KEPT = Duration.days(14);

/** A queue of the contracts. High throughput: order and deduplication per message group. TLS only. */
export function definedQueue(
  scope: Construct,
  id: string,
  { name, fifo, visibilityTimeoutSeconds, maxReceiveCount = 10 }: QueueDefinition,
  { deadLetters, ...encryption }: { readonly deadLetters?: Queue } & Pick<QueueProps, 'encryptionMasterKey'> = {},
): Queue {
  const deadLetterQueue: DeadLetterQueue | undefined =
    deadLetters === undefined ? undefined : { queue: deadLetters, maxReceiveCount };
  return new Queue(scope, id, {
    queueName: name,
    visibilityTimeout: Duration.seconds(visibilityTimeoutSeconds),
    retentionPeriod: KEPT,
    enforceSSL: true,
    ...(encryption.encryptionMasterKey === undefined
      ? { encryption: QueueEncryption.SQS_MANAGED }
      : { encryption: QueueEncryption.KMS, ...encryption, dataKeyReuse: Duration.hours(1) }),
    ...(fifo && {
      fifo,
      deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
      fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
    }),
    ...(deadLetterQueue !== undefined && { deadLetterQueue }),
  });
}

/**
 * The queues of a pool's shards, in as many nested stacks as they need.
 *
 * @param id of the pool's: what is added to one pool must not move another's queues from stack to stack
 */
export function shardQueues(
  scope: Construct,
  id: string,
  definitions: readonly QueueDefinition[],
  deadLetters: Queue,
): void {
  for (let start = 0; start < definitions.length; start += QUEUES_IN_A_STACK) {
    const nested = new NestedStack(scope, `${id}${start}`);
    for (const definition of definitions.slice(start, start + QUEUES_IN_A_STACK))
      definedQueue(nested, definition.name.replace(/\.fifo$/, ''), definition, { deadLetters });
  }
}
