import { createSqsClient } from '#shared/adapters/sqs-client.ts';
import { SqsShardQueue } from '#shared/adapters/sqs-shard-queue.ts';
import { SqsWebhookQueue } from '#shared/adapters/sqs-webhook-queue.ts';
import type { ApiDeps } from '../deps.ts';
import { createBacklog } from '../use-cases/backlog.ts';
import type { ApiBase } from './base.ts';

/** What is in SQS. @param jobs counts what waits of a session */
export function createQueues(
  { names: { shardQueue: queueName, queues }, clients, clock, config }: ApiBase,
  { jobs }: Pick<ApiDeps, 'jobs'>,
): Pick<ApiDeps, 'queue' | 'backlog' | 'webhookQueue'> {
  const sqs = clients.sqs ?? createSqsClient();
  const queue = new SqsShardQueue(sqs, { queueName, deadLetterQueue: queues.shardDeadLetters });
  return {
    queue,
    backlog: createBacklog({ jobs, queue, clock, config }),
    webhookQueue: new SqsWebhookQueue(sqs, { queues }),
  };
}
