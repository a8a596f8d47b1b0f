import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { webhookWakeSchema } from '#shared/contracts/webhook-rows.ts';
import { type DispatcherDeps, dispatch } from './dispatcher.ts';
import { type HoldingDeps, whileHeld } from './while-held.ts';

/** What fails comes again, and in the end is put aside, from where the reconciler brings it back. */
export function createWebhookDispatcherHandler(deps: DispatcherDeps & HoldingDeps) {
  return async ({ Records }: SQSEvent): Promise<SQSBatchResponse> => {
    const failed: string[] = [];
    for (const { body, messageId, receiptHandle, attributes } of Records) {
      const received = { receipt: receiptHandle, receiveCount: Number(attributes.ApproximateReceiveCount) };
      try {
        await whileHeld(received, () => dispatch(webhookWakeSchema.parse(JSON.parse(body)), deps), deps);
      } catch (error) {
        deps.logger.warn({ err: error, sqsMessageId: messageId }, 'endpoint not served');
        failed.push(messageId);
      }
    }
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}
