import * as z from 'zod';
import { lastDeliverySchema } from '../webhook-rows.ts';

/** How a webhook is. Times are milliseconds since 1970. */
export const webhookStateSchema = z
  .object({
    id: z.string(),
    /** Null for the installation's own, which is not the session's to know. */
    url: z.string().nullable(),
    events: z.array(z.string()),
    /** `PAUSED`: it failed several times in a row, or asked for it; `DISABLED`: it gets nothing until the configuration is written again. */
    state: z.enum(['ACTIVE', 'PAUSED', 'DISABLED']),
    /** `gone`: it answered 410. */
    disabledReason: z.enum(['gone']).nullable(),
    disabledAt: z.number().nullable(),
    /** Not tried before; null when it is not paused. */
    nextTryAt: z.number().nullable(),
    /** Tries that failed since the last that did not. */
    failures: z.number(),
    /** Events since it was added. */
    delivered: z.number(),
    /** Those that got no further try. */
    failed: z.number(),
    /** Null before the first. */
    last: lastDeliverySchema.nullable(),
  })
  .meta({ id: 'WebhookState' });
export type WebhookState = z.infer<typeof webhookStateSchema>;

/** A delivery that is not done. Times are milliseconds since 1970. */
export const webhookDeliverySchema = z
  .object({
    /** Place of the event in the session's log. */
    seq: z.number(),
    state: z.enum(['RETRYING', 'FAILED']),
    eventId: z.string(),
    event: z.string(),
    chatId: z.string().nullable(),
    loggedAt: z.number(),
    /** Tries that failed. */
    attempts: z.number(),
    /** Null when there is no further try. */
    nextTryAt: z.number().nullable(),
    /** Null when it was not tried: an earlier event of its chat waits, or the endpoint was away for too long. */
    last: lastDeliverySchema.nullable(),
  })
  .meta({ id: 'WebhookDelivery' });
export type WebhookDeliveryView = z.infer<typeof webhookDeliverySchema>;

export const replayedSchema = z
  .object({
    /** Events that are on their way once more; without those that the webhook has not come to yet. */
    replayed: z.number(),
    /** There may be more in the range: ask again with this `after`. */
    after: z.number().nullable(),
  })
  .meta({ id: 'Replayed' });
