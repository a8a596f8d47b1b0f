import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { Logger } from '#shared/observability/logger.ts';
import { eventFields } from '#shared/observability/subjects.ts';
import { createEventProjector, type EventProjectorDeps } from './event-projector.ts';

export interface EventProjectorHandlerDeps extends EventProjectorDeps {
  readonly logger: Pick<Logger, 'debug' | 'warn'>;
}

export type EventProjectorHandler = (event: SQSEvent) => Promise<SQSBatchResponse>;

/**
 * Projects a batch of bus events from SQS. What cannot be read or written is reported as failed: the queue brings it
 * again, and after its `maxReceiveCount` puts it on the dead-letter queue.
 */
export function createEventProjectorHandler({ logger, ...deps }: EventProjectorHandlerDeps): EventProjectorHandler {
  const projector = createEventProjector(deps);
  return async ({ Records }) => {
    const outcomes = await projector.projectAll(
      Records.map(
        ({ body }) =>
          () =>
            JSON.parse(body),
      ),
    );
    const batchItemFailures = Records.flatMap(({ messageId, attributes }, index) => {
      const outcome = outcomes[index];
      if (outcome?.status === 'projected') logger.debug(eventFields(outcome.event), 'event projected');
      if (outcome?.status !== 'failed') return [];
      const subject = outcome.event && eventFields(outcome.event);
      const receiveCount = Number(attributes.ApproximateReceiveCount);
      logger.warn({ err: outcome.error, sqsMessageId: messageId, receiveCount, ...subject }, 'event not projected');
      return [{ itemIdentifier: messageId }];
    });
    return { batchItemFailures };
  };
}
