import * as z from 'zod';
import { jobErrorSchema } from './jobs.ts';
import { mediaSchema, messagePlace, messageSchema } from './message.ts';
import { sessionStatusSchema, statusChangeSchema } from './session.ts';

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
  ...messagePlace,
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

export const presencePayloadSchema = z.object({
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
  ...messagePlace,
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
