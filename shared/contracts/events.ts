import * as z from 'zod';
import {
  ackPayloadSchema,
  callPayloadSchema,
  chatArchivePayloadSchema,
  editedPayloadSchema,
  engineEventPayloadSchema,
  eventResponsePayloadSchema,
  groupJoinPayloadSchema,
  groupLeavePayloadSchema,
  groupParticipantsPayloadSchema,
  groupUpdatePayloadSchema,
  labelChatPayloadSchema,
  labelSchema,
  mediaPayloadSchema,
  pollVotePayloadSchema,
  presencePayloadSchema,
  reactionPayloadSchema,
  revokedPayloadSchema,
  sessionStatusPayloadSchema,
} from './event-payloads.ts';
import { messageSchema } from './message.ts';
import { meSchema } from './session.ts';

/** Names of events: WAHA's, and `message.media`, which is ours. The name is the bus entry's `detail-type`. */
export const EVENT_NAMES = [
  'session.status',
  'message',
  'message.any',
  'message.reaction',
  'message.ack',
  'message.ack.group',
  'message.waiting',
  'message.revoked',
  'message.edited',
  'message.media',
  'group.v2.join',
  'group.v2.leave',
  'group.v2.update',
  'group.v2.participants',
  'presence.update',
  'poll.vote',
  'poll.vote.failed',
  'event.response',
  'event.response.failed',
  'chat.archive',
  'label.upsert',
  'label.deleted',
  'label.chat.added',
  'label.chat.deleted',
  'call.received',
  'call.accepted',
  'call.rejected',
  'engine.event',
] as const;
export const eventNameSchema = z.enum(EVENT_NAMES);
export type EventName = z.infer<typeof eventNameSchema>;

/**
 * Events that change a read model, and the rule's pattern for them. `message.any` has every message; `message` would
 * only say the incoming ones again.
 */
export const PROJECTED_EVENTS = [
  'message.any',
  'message.ack',
  'message.ack.group',
  'message.reaction',
  'message.edited',
  'message.media',
  'message.revoked',
] as const satisfies readonly EventName[];

/**
 * Version of the events' form. Fields and events may be added under the same version; it grows when one is taken away, renamed or
 * means something else.
 */
export const EVENT_SCHEMA_VERSION = 1;

const envelopeFields = {
  /** Stable over redeliveries: the key to deduplicate by. */
  id: z.string(),
  /** Milliseconds since 1970 at which it happened. */
  timestamp: z.number(),
  session: z.string(),
  metadata: z.record(z.string(), z.string()),
  me: meSchema.nullable(),
  engine: z.string(),
  environment: z.object({
    version: z.string(),
    engine: z.string(),
    tier: z.string(),
    browser: z.string().nullable(),
    platform: z.string(),
    worker: z.object({ id: z.string().nullable() }),
  }),
  /** Strictly grows within a session, from its creation in milliseconds on, so also over a deletion and a creation anew. */
  seq: z.number(),
  schemaVersion: z.int().default(EVENT_SCHEMA_VERSION),
  traceparent: z.string().optional().meta({
    description:
      'W3C Trace Context: that of the request which has made it happen, else one that begins with it. The same however often it is told.',
  }),
};

/** Detail of a bus entry: WAHA's envelope, plus `seq` and `traceparent`. */
export const eventEnvelopeSchema = z.discriminatedUnion('event', [
  z.object({ ...envelopeFields, event: z.literal('session.status'), payload: sessionStatusPayloadSchema }),
  z.object({ ...envelopeFields, event: z.enum(['message', 'message.any']), payload: messageSchema }),
  z.object({ ...envelopeFields, event: z.literal('message.reaction'), payload: reactionPayloadSchema }),
  z.object({ ...envelopeFields, event: z.enum(['message.ack', 'message.ack.group']), payload: ackPayloadSchema }),
  z.object({ ...envelopeFields, event: z.literal('message.revoked'), payload: revokedPayloadSchema }),
  z.object({ ...envelopeFields, event: z.literal('message.edited'), payload: editedPayloadSchema }),
  z.object({ ...envelopeFields, event: z.literal('message.media'), payload: mediaPayloadSchema }),
  z.object({ ...envelopeFields, event: z.literal('presence.update'), payload: presencePayloadSchema }),
  z.object({ ...envelopeFields, event: z.literal('group.v2.join'), payload: groupJoinPayloadSchema }),
  z.object({ ...envelopeFields, event: z.literal('group.v2.leave'), payload: groupLeavePayloadSchema }),
  z.object({ ...envelopeFields, event: z.literal('group.v2.participants'), payload: groupParticipantsPayloadSchema }),
  z.object({ ...envelopeFields, event: z.literal('group.v2.update'), payload: groupUpdatePayloadSchema }),
  z.object({
    ...envelopeFields,
    event: z.enum(['call.received', 'call.accepted', 'call.rejected']),
    payload: callPayloadSchema,
  }),
  z.object({ ...envelopeFields, event: z.enum(['poll.vote', 'poll.vote.failed']), payload: pollVotePayloadSchema }),
  z.object({
    ...envelopeFields,
    event: z.enum(['event.response', 'event.response.failed']),
    payload: eventResponsePayloadSchema,
  }),
  z.object({ ...envelopeFields, event: z.literal('chat.archive'), payload: chatArchivePayloadSchema }),
  z.object({ ...envelopeFields, event: z.enum(['label.upsert', 'label.deleted']), payload: labelSchema }),
  z.object({
    ...envelopeFields,
    event: z.enum(['label.chat.added', 'label.chat.deleted']),
    payload: labelChatPayloadSchema,
  }),
  z.object({ ...envelopeFields, event: z.literal('engine.event'), payload: engineEventPayloadSchema }),
  z.object({ ...envelopeFields, event: z.literal('message.waiting'), payload: messageSchema }),
]);
export type EventEnvelope = z.infer<typeof eventEnvelopeSchema>;
type BodyOf<E> = E extends { event: infer N; payload: infer P } ? { readonly event: N; readonly payload: P } : never;
/** Event name and payload that belong together, as an envelope has them. */
export type EventContent = BodyOf<EventEnvelope>;
/** The same before the envelope is put around them: as an engine makes them, without the address of the API. */
export type EventBody = BodyOf<z.input<typeof eventEnvelopeSchema>>;

/** Detail of a bus entry whose envelope is too large for the bus: where the envelope is. */
export const eventReferenceSchema = z.object({
  id: z.string(),
  session: z.string(),
  /** Missing in what earlier versions have published. */
  seq: envelopeFields.seq.optional(),
  schemaVersion: envelopeFields.schemaVersion,
  traceparent: z.string().optional(),
  s3: z.object({ Bucket: z.string(), Key: z.string() }),
});
