import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type WebhookWake, webhookWakeSchema } from '#shared/contracts/webhook-rows.ts';
import { tag } from '#shared/observability/logger.ts';
import { eventFields } from '#shared/observability/subjects.ts';
import { type DispatcherDeps, dispatch } from './dispatcher.ts';
import { type HoldingDeps, whileHeld } from './while-held.ts';

/** What fails comes again, and in the end is put aside, from where the reconciler brings it back. */
export function createWebhookDispatcherHandler(deps: DispatcherDeps & HoldingDeps) {
  return async ({ Records }: SQSEvent): Promise<SQSBatchResponse> => {
    const failed: string[] = [];
    for (const { body, messageId, receiptHandle, attributes } of Records) {
      const received = { receipt: receiptHandle, receiveCount: Number(attributes.ApproximateReceiveCount) };
      let wake: WebhookWake | undefined;
      try {
        const parsed = webhookWakeSchema.parse(JSON.parse(body));
        wake = parsed;
        await whileHeld(received, () => dispatch(parsed, deps), deps);
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
