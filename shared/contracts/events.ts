import * as z from 'zod';
import { jobErrorSchema } from './jobs.ts';
import { meSchema, sessionStatusSchema, statusChangeSchema } from './session.ts';

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

export const mediaSchema = z
  .object({
    /** In rows and from engines the path alone, `/api/files/…`: whoever shows it knows the address it stands behind. */
    url: z.string().nullable().meta({
      description:
        'Address of the file at the HTTP API, to be opened with a key (`X-Api-Key`) that may read the session; null when it was not downloaded.',
    }),
    mimetype: z.string().nullable(),
    filename: z.string().nullable(),
    /** Where the file is; there whenever `url` is. */
    s3: z.object({ Bucket: z.string(), Key: z.string() }).nullish(),
    error: z.string().nullable(),
  })
  .meta({ id: 'WAMedia' });
export type WaMedia = z.infer<typeof mediaSchema>;

/** A message as it is stored and as engines make it: WAHA's WAMessage, with paths in place of addresses. `timestamp` is in seconds. */
export const waMessageSchema = z.object({
  id: z.string(),
  timestamp: z.number(),
  from: z.string(),
  fromMe: z.boolean(),
  source: z.enum(['app', 'api']),
  to: z.string(),
  participant: z.string().nullable(),
  body: z.string(),
  hasMedia: z.boolean(),
  media: mediaSchema.nullable(),
  ack: z.number(),
  ackName: z.string(),
  author: z.string().nullish(),
  location: z
    .object({
      latitude: z.string(),
      longitude: z.string(),
      live: z.boolean().optional(),
      name: z.string().nullish(),
      address: z.string().nullish(),
      url: z.string().nullish(),
      description: z.string().nullish(),
      thumbnail: z.string().nullish(),
    })
    .nullish(),
  vCards: z.array(z.string()),
  replyTo: z
    .object({
      id: z.string(),
      participant: z.string().nullish(),
      body: z.string().nullish(),
      hasMedia: z.boolean().optional(),
      media: mediaSchema.nullish(),
    })
    .nullish(),
  /** What the engine knows beyond WAHA's fields: `lid`, `pushName`, `type`, `mentions` (chat ids), `content` (protobuf, base64)… */
  _data: z.record(z.string(), z.unknown()).optional(),
});
export type WaMessage = z.infer<typeof waMessageSchema>;

/** A message as clients see it, in events and in answers: its media have addresses. */
export const messageSchema = waMessageSchema
  .extend({
    // Events that were told before there was this field are still in logs and archives.
    mediaUrl: z.string().default('').meta({
      description: 'The same as `media.url`, for old clients; empty where there is none.',
      deprecated: true,
    }),
  })
  .meta({ id: 'WAMessage' });
export type MessageView = z.infer<typeof messageSchema>;

export const ackPayloadSchema = z.object({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  participant: z.string().nullable(),
  fromMe: z.boolean(),
  ack: z.number(),
  ackName: z.string(),
  /** `lid` of the participant, or of the chat, where it is known. Of a send that has failed its job, and why it has. */
  _data: z.looseObject({ jobId: z.string().optional(), error: jobErrorSchema.optional() }).optional(),
});

export const reactionPayloadSchema = z.object({
  id: z.string(),
  /** Seconds. */
  timestamp: z.number(),
  from: z.string(),
  fromMe: z.boolean(),
  source: z.enum(['app', 'api']),
  to: z.string(),
  participant: z.string().nullable(),
  /** `text` is empty when the reaction was taken back. */
  reaction: z.object({ text: z.string(), messageId: z.string() }),
  /** `lid` of whoever reacted, where it is known. */
  _data: z.record(z.string(), z.unknown()).optional(),
});

export const revokedPayloadSchema = z.object({
  revokedMessageId: z.string(),
  /** Chat in which it happened; ours, WAHA's payload has no chat when `after` is null. */
  chatId: z.string(),
  after: messageSchema.nullable(),
  before: messageSchema.nullable(),
});

export const editedPayloadSchema = messageSchema.extend({ editedMessageId: z.string() });

/** Media that its message was told of without: it is stored by now. `timestamp` is in seconds. */
export const mediaPayloadSchema = z.object({
  id: z.string(),
  timestamp: z.number(),
  from: z.string(),
  to: z.string(),
  participant: z.string().nullable(),
  fromMe: z.boolean(),
  media: mediaSchema,
  /** `lid` of the participant, or of the chat, where it is known. */
  _data: z.record(z.string(), z.unknown()),
});

export const sessionStatusPayloadSchema = z.object({
  name: z.string(),
  status: sessionStatusSchema,
  /** The last three, oldest first. */
  statuses: z.array(statusChangeSchema),
  data: z.record(z.string(), z.unknown()).nullable(),
});

const presencePayloadSchema = z.object({
  id: z.string(),
  presences: z.array(
    z.object({
      participant: z.string(),
      /** Where it is known. */
      lid: z.string().optional(),
      lastKnownPresence: z.enum(['online', 'offline', 'typing', 'recording', 'paused']),
      lastSeen: z.number().nullable(),
    }),
  ),
});

const destinationSchema = z.object({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  fromMe: z.boolean(),
  participant: z.string().optional(),
});

/** `vote.timestamp` is in seconds; `_data` has the voter's and the chat's `lid` where they are known. */
export const pollVotePayloadSchema = z.object({
  vote: destinationSchema.extend({
    /** All that is selected now, as the poll words it; empty when the vote was taken back or cannot be read. */
    selectedOptions: z.array(z.string()),
    timestamp: z.number(),
  }),
  poll: destinationSchema,
  _data: z.record(z.string(), z.unknown()).optional(),
});
export type PollVotePayload = z.infer<typeof pollVotePayloadSchema>;

const eventResponseSchema = z.object({
  response: z.enum(['UNKNOWN', 'GOING', 'NOT_GOING', 'MAYBE']),
  timestampMs: z.number(),
  extraGuestCount: z.number(),
});
export type EventResponse = z.infer<typeof eventResponseSchema>;

/** Somebody answers a calendar event. `timestamp` is in seconds; `_data` has the `lid` of whoever answers where it is known. */
export const eventResponsePayloadSchema = z.object({
  id: z.string(),
  timestamp: z.number(),
  from: z.string(),
  fromMe: z.boolean(),
  source: z.enum(['app', 'api']),
  to: z.string(),
  participant: z.string().nullable(),
  /** The message that announced the event. */
  eventCreationKey: destinationSchema,
  /** Null when it cannot be read. */
  eventResponse: eventResponseSchema.nullable(),
  _data: z.record(z.string(), z.unknown()),
});

/** `data` is what the engine's library says, without keys of the account; `{omitted}` where it is too long. */
export const engineEventPayloadSchema = z.object({ event: z.string(), data: z.unknown() });

/** `timestamp` is in seconds; `_data` has the chat's `lid` where it is known. */
export const chatArchivePayloadSchema = z.object({
  id: z.string(),
  archived: z.boolean(),
  timestamp: z.number(),
  _data: z.record(z.string(), z.unknown()),
});

export const labelSchema = z.object({ id: z.string(), name: z.string(), color: z.number(), colorHex: z.string() });
export type Label = z.infer<typeof labelSchema>;

/** `label` is null where its name is not known; `_data` has the chat's `lid` where it is. */
export const labelChatPayloadSchema = z.object({
  labelId: z.string(),
  chatId: z.string(),
  label: labelSchema.nullable(),
  _data: z.record(z.string(), z.unknown()),
});

const groupIdSchema = z.object({ id: z.string() });
const groupParticipantSchema = z.object({
  /** As the group addresses its members: `@lid` in most groups, `@c.us` in old ones. */
  id: z.string(),
  /** `@c.us`, where it is known. */
  pn: z.string().optional(),
  /** `@lid`, where it is known. */
  lid: z.string().optional(),
  role: z.enum(['left', 'participant', 'admin', 'superadmin']),
});
/** `timestamp` is in seconds; `_data` has who did it (`author`, `lid`) and WhatsApp's word for it (`change`). */
const groupEventFields = { timestamp: z.number(), _data: z.record(z.string(), z.unknown()) };

/** The account is in a group that it was not in before. */
export const groupJoinPayloadSchema = z.object({
  ...groupEventFields,
  group: groupIdSchema.extend({
    subject: z.string(),
    description: z.string(),
    membersCanAddNewMember: z.boolean(),
    membersCanSendMessages: z.boolean(),
    /** Ours; WAHA does not tell. */
    membersCanEditInfo: z.boolean(),
    newMembersApprovalRequired: z.boolean(),
    participants: z.array(groupParticipantSchema),
  }),
});
export type GroupJoinPayload = z.infer<typeof groupJoinPayloadSchema>;

/** The account is no longer in the group. */
export const groupLeavePayloadSchema = z.object({ ...groupEventFields, group: groupIdSchema });

export const groupParticipantsPayloadSchema = z.object({
  ...groupEventFields,
  type: z.enum(['join', 'leave', 'promote', 'demote']),
  group: groupIdSchema,
  participants: z.array(groupParticipantSchema),
});

/** `group` has what has changed, named as in `group.v2.join`; `invite` is a URL. */
export const groupUpdatePayloadSchema = z.object({
  ...groupEventFields,
  group: groupJoinPayloadSchema.shape.group
    .omit({ participants: true })
    .extend({ invite: z.string() })
    .partial()
    .extend({ id: z.string() }),
});

/** `timestamp` is in seconds; `_data.status` says how a call ended: `reject`, `timeout` or `terminate`. */
export const callPayloadSchema = z.object({
  id: z.string(),
  from: z.string(),
  timestamp: z.number(),
  isVideo: z.boolean(),
  isGroup: z.boolean(),
  _data: z.record(z.string(), z.unknown()),
});

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
  traceparent: z.string().optional(),
  s3: z.object({ Bucket: z.string(), Key: z.string() }),
});
