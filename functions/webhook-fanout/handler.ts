import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { Logger } from '#shared/observability/logger.ts';
import { eventFields } from '#shared/observability/subjects.ts';
import { fanOut, type WebhookFanoutDeps } from './webhook-fanout.ts';

export interface WebhookFanoutHandlerDeps extends WebhookFanoutDeps {
  readonly logger: Pick<Logger, 'debug' | 'warn'>;
}

/** What cannot be read or handed on is reported as failed: the queue brings it again, and in the end puts it aside. */
export function createWebhookFanoutHandler({ logger, ...deps }: WebhookFanoutHandlerDeps) {
  return async ({ Records }: SQSEvent): Promise<SQSBatchResponse> => {
    const outcomes = await fanOut(
      Records.map(({ messageId, body }) => ({ id: messageId, body })),
      deps,
    );
    const batchItemFailures = Records.flatMap(({ messageId }, index) => {
      const outcome = outcomes[index];
      const subject = outcome?.event && eventFields(outcome.event);
      if (outcome?.status !== 'failed') {
        if (subject !== undefined) logger.debug(subject, 'endpoints woken');
        return [];
      }
      logger.warn({ err: outcome.error, sqsMessageId: messageId, ...subject }, 'endpoints not woken');
      return [{ itemIdentifier: messageId }];
    });
    return { batchItemFailures };
  };
}
