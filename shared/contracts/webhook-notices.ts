import * as z from 'zod';
import { EVENT_SCHEMA_VERSION } from './events.ts';

/** `detail-type` of the bus entry (source `trunkline.control`) that tells that an endpoint gets nothing any more. */
export const WEBHOOK_DISABLED = 'webhook.disabled';

/** Its detail. May come more than once. */
export const webhookDisabledSchema = z.object({
  session: z.string(),
  /** As in `GET /api/{session}/webhooks`. */
  endpointId: z.string(),
  /** `gone`: the receiver answered 410. */
  reason: z.enum(['gone']),
  /** Milliseconds since 1970. */
  at: z.number(),
  schemaVersion: z.literal(EVENT_SCHEMA_VERSION),
});
export type WebhookDisabled = z.infer<typeof webhookDisabledSchema>;
