import type { ScheduledEvent, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { Logger } from '#shared/observability/logger.ts';
import type { Capacity } from './capacity.ts';
import { type FleetEvent, readFleetEvent } from './fleet-event.ts';

export interface CapacityHandlerDeps {
  readonly capacity: Capacity;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * Called by a schedule, and by a queue with what has happened. An event that cannot be read is reported as failed and
 * ends on the dead-letter queue.
 *
 * @throws what the stores and the launcher throw: then all of the batch comes again
 */
export function createCapacityHandler({ capacity, logger }: CapacityHandlerDeps) {
  return async (trigger: SQSEvent | ScheduledEvent): Promise<SQSBatchResponse> => {
    const failed: string[] = [];
    const events = 'Records' in trigger ? trigger.Records.flatMap((record) => read(record, failed, logger)) : [];
    await capacity.bury(events);
    await capacity.scale(events);
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

function read({ body, messageId }: SQSRecord, failed: string[], logger: Pick<Logger, 'warn'>): readonly FleetEvent[] {
  try {
    return [readFleetEvent(body)];
  } catch (error) {
    logger.warn({ err: error, sqsMessageId: messageId }, 'event not understood');
    failed.push(messageId);
    return [];
  }
}
