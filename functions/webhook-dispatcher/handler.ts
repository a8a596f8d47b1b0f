import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type WebhookWake, webhookWakeSchema } from '#shared/contracts/webhook-rows.ts';
import { tag } from '#shared/observability/logger.ts';
import { eventFields } from '#shared/observability/subjects.ts';
import { type DispatcherDeps, dispatch } from './dispatcher.ts';

/** What fails comes again, and in the end is put aside: the next event of its endpoint, or a replay, brings up what it was about. */
export function createWebhookDispatcherHandler(deps: DispatcherDeps) {
  return async ({ Records }: SQSEvent): Promise<SQSBatchResponse> => {
    const failed: string[] = [];
    for (const { body, messageId } of Records) {
      let wake: WebhookWake | undefined;
      try {
        wake = webhookWakeSchema.parse(JSON.parse(body));
        await dispatch(wake, deps);
      } catch (error) {
        deps.logger.warn({ err: error, sqsMessageId: messageId, ...(wake && wakeFields(wake)) }, 'endpoint not served');
        failed.push(messageId);
      }
    }
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

function wakeFields({ session, endpointId, event }: WebhookWake) {
  return { endpointId, ...(event === undefined ? { session: tag(session) } : eventFields({ session, ...event })) };
}
