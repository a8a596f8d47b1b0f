import * as z from 'zod';

/** What the last try came to, for people to read. */
export const lastDeliverySchema = z.object({
  /** Milliseconds since 1970. */
  at: z.number(),
  outcome: z.enum(['delivered', 'rate-limited', 'transient', 'permanent', 'gone']),
  /** HTTP status of the answer, where there was one. */
  status: z.number().optional(),
  /** Machine-readable, e.g. `timeout`, `ECONNREFUSED`, `status-503`. */
  reason: z.string().optional(),
  eventId: z.string(),
});
export type LastDelivery = z.infer<typeof lastDeliverySchema>;

/**
 * Row of the webhook-endpoints table, key (`session`, `endpointId`): how far an endpoint has come. The API makes and
 * removes rows, everything else is the dispatcher's. Times are milliseconds since 1970.
 */
export const webhookEndpointRowSchema = z.object({
  session: z.string(),
  endpointId: z.string(),
  /** Tells a row from a later one of the same name. */
  addedAt: z.number(),
  /** Everything in the log up to this `seq` is delivered, not wanted, or set aside. It begins with what was logged before the endpoint was added. */
  cursor: z.number(),
  /** Events whose first try failed since the last try that succeeded; of those that were on the way when it was left alone, none. */
  failures: z.number(),
  /** The endpoint is left alone until then. */
  nextTryAt: z.number().optional(),
  /** The endpoint gets nothing any more, until the configuration is written again. */
  disabledAt: z.number().optional(),
  disabledReason: z.enum(['gone']).optional(),
  /** A new value whenever somebody puts an end to what keeps the endpoint from being tried. */
  enabling: z.string().optional(),
  /** There may be deliveries that were set aside; a new value whenever one is added. */
  setAside: z.string().optional(),
  last: lastDeliverySchema.optional(),
  /** Numbers of events since the row was made. */
  delivered: z.number(),
  failed: z.number(),
});
export type WebhookEndpointRow = z.infer<typeof webhookEndpointRowSchema>;

/**
 * Row of the webhook-deliveries table, key (`endpoint` = `session#endpointId#addedAt`, `seq`): an event that waits for another
 * try of its own, or has had all of them. What was delivered has no row.
 */
export const webhookDeliveryRowSchema = z.object({
  endpoint: z.string(),
  /** The event's place in the log. */
  seq: z.number(),
  state: z.enum(['RETRYING', 'FAILED']),
  eventId: z.string(),
  event: z.string(),
  /** Chat that it happened in. */
  chatId: z.string().optional(),
  /** The LID of a chat with one person, where it is known. */
  chatLid: z.string().optional(),
  /** Milliseconds since 1970, as the other times: when the event was logged. */
  loggedAt: z.number(),
  /** Tries that failed. */
  attempts: z.number(),
  /** Further tries, at which the receiver asked for time: they count only for how long the next one waits. */
  limited: z.number().optional(),
  /** No further tries after that. */
  giveUpAt: z.number(),
  /** Not tried before. */
  dueAt: z.number(),
  last: lastDeliverySchema.optional(),
  /** Seconds since 1970: gone with the event's own place in the log. */
  ttl: z.number(),
});
export type WebhookDeliveryRow = z.infer<typeof webhookDeliveryRowSchema>;
export type WebhookDeliveryState = WebhookDeliveryRow['state'];

/** Body of a message on the dispatcher's queue: an endpoint may have something to do. */
export const webhookWakeSchema = z.object({
  session: z.string(),
  endpointId: z.string(),
  /** Event that woke it; missing when it was a timer. */
  event: z.object({ id: z.string(), seq: z.number().optional(), traceparent: z.string().optional() }).optional(),
  /** Time of the timer that woke it, of several the last. */
  dueAt: z.number().optional(),
});
export type WebhookWake = z.infer<typeof webhookWakeSchema>;

/** Body of a message on the fan-out's queue that is no bus event: wakes an endpoint when its time has come. */
export const webhookTimerSchema = z.object({
  timer: z.object({ session: z.string(), endpointId: z.string(), dueAt: z.number() }),
});
export type WebhookTimer = z.infer<typeof webhookTimerSchema>['timer'];

/** What is read of a bus event. `seq` is missing where an earlier version has published one that was too large for the bus. */
const busEventSchema = z.object({
  'detail-type': z.string(),
  /** Of an event that comes again out of the bus's archive. */
  'replay-name': z.string().optional(),
  detail: z.object({
    id: z.string(),
    session: z.string(),
    seq: z.number().optional(),
    traceparent: z.string().optional(),
  }),
});
/** Body of any message on the fan-out's queue. */
export const webhookMessageSchema = z.union([webhookTimerSchema, busEventSchema]);
