import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { streamTaskSchema } from '#shared/contracts/event-stream.ts';
import type { Logger } from '#shared/observability/logger.ts';
import type { StreamSender } from './sender.ts';

export interface StreamSenderHandlerDeps {
  readonly sender: Pick<StreamSender, 'do'>;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * Does a batch of tasks, those of one connection one after the other, the rest side by side. What fails is reported as failed with
 * all behind it: the queue brings it again, and after its `maxReceiveCount` puts it on the dead-letter queue.
 */
export function createStreamSenderHandler({ sender, logger }: StreamSenderHandlerDeps) {
  return async ({ Records }: SQSEvent): Promise<SQSBatchResponse> => {
    const groups = Map.groupBy(Records, ({ attributes }) => attributes.MessageGroupId ?? '');
    const failed = await Promise.all([...groups.values()].map((records) => doAll(records, sender, logger)));
    return { batchItemFailures: failed.flat().map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

/** @returns those that failed, and what is behind them */
async function doAll(
  records: readonly SQSRecord[],
  sender: StreamSenderHandlerDeps['sender'],
  logger: StreamSenderHandlerDeps['logger'],
): Promise<readonly SQSRecord[]> {
  for (const [index, { body, messageId }] of records.entries()) {
    try {
      await sender.do(streamTaskSchema.parse(JSON.parse(body)));
    } catch (error) {
      logger.warn({ err: error, sqsMessageId: messageId }, 'stream not served');
      return records.slice(index);
    }
  }
  return [];
}
