import * as z from 'zod';
import { scriptSchema } from './script.ts';

const phone = z
  .string()
  .transform((text) => text.replace(/\D/g, ''))
  // WhatsApp itself has the number 0.
  .pipe(z.string().regex(/^(?:0|\d{5,})$/));

export const contactSchema = z.object({
  phone: phone.optional(),
  name: z.string(),
  script: scriptSchema.prefault({}),
});
export type ContactRequest = z.input<typeof contactSchema>;

const mediaSchema = z.object({
  kind: z.enum(['image', 'video', 'audio', 'voice', 'document', 'sticker']),
  data: z.base64(),
  mimetype: z.string(),
  caption: z.string().optional(),
  fileName: z.string().optional(),
});
export type MediaRequest = z.infer<typeof mediaSchema>;

const target = z.object({ id: z.string(), text: z.string() });

/** What a simulated phone can be told to send; exactly one kind of content. */
export const sendSchema = z.object({
  /** A phone number, a user JID or a group JID. */
  to: z.string(),
  text: z.string().optional(),
  mentions: z.array(z.string()).optional(),
  image: mediaSchema.omit({ kind: true }).optional(),
  media: mediaSchema.optional(),
  location: z.object({ latitude: z.number(), longitude: z.number(), name: z.string().optional() }).optional(),
  /** `text` is the emoji, empty to take the reaction back. */
  reaction: target.optional(),
  edit: target.optional(),
  /** Id of an own message to delete for everybody. */
  revoke: z.string().optional(),
  poll: z.object({ name: z.string(), options: z.array(z.string()) }).optional(),
  /** A vote on a poll in the inbox or of one's own; none of the options takes it back. */
  vote: z.object({ id: z.string(), options: z.array(z.string()) }).optional(),
  /** A calendar event. */
  event: z.object({ name: z.string() }).optional(),
  /** Whether the phone's owner comes to an event in the inbox or of one's own. */
  eventResponse: z
    .object({
      id: z.string(),
      response: z.enum(['GOING', 'NOT_GOING', 'MAYBE']),
      extraGuestCount: z.number().int().default(0),
    })
    .optional(),
  /** Id of a message in the inbox that the text quotes. */
  quoted: z.string().optional(),
  /** Any other message, in the JSON form of its protobuf. */
  raw: z.record(z.string(), z.unknown()).optional(),
});
export type SendRequest = z.input<typeof sendSchema>;

export const typingSchema = z.object({
  to: z.string(),
  state: z.enum(['composing', 'recording', 'paused']).default('composing'),
});
export type TypingRequest = z.input<typeof typingSchema>;

/** Marks messages of one chat as read (or played): the ids given, or everything in the inbox from that chat. */
export const readSchema = z.object({
  to: z.string(),
  ids: z.array(z.string()).optional(),
  type: z.enum(['read', 'played']).default('read'),
});
export type ReadRequest = z.input<typeof readSchema>;

export const groupSchema = z.object({
  owner: phone,
  subject: z.string(),
  participants: z.array(phone).default([]),
  addressing: z.enum(['lid', 'pn']).default('lid'),
});
export type GroupRequest = z.input<typeof groupSchema>;

/** A member, contact or client, changes a group's members on its phone. */
export const groupChangeSchema = z.object({
  id: z.string().transform((text) => text.replace('@g.us', '')),
  actor: phone,
  change: z.enum(['add', 'remove', 'promote', 'demote']),
  participants: z.array(phone),
});
export type GroupChangeRequest = z.input<typeof groupChangeSchema>;

export const enterCodeSchema = z.object({ phone, code: z.string() });
export const unlinkSchema = z.object({ device: z.number().int().positive() });
export const presenceSchema = z.object({ available: z.boolean() });

/** A phone calls somebody, takes or refuses a call elsewhere, or ends it. */
export const callSchema = z.object({
  to: phone,
  /** Id of a call that was offered before; none offers a new one. */
  id: z.string().optional(),
  step: z.enum(['offer', 'accept', 'reject', 'terminate', 'timeout']).default('offer'),
  video: z.boolean().default(false),
});
export type CallRequest = z.input<typeof callSchema>;

/** What the owner does on the phone and WhatsApp synchronises; exactly one. */
export const syncSchema = z.object({
  archive: z.object({ chat: z.string(), archived: z.boolean() }).optional(),
  label: z
    .object({
      id: z.string(),
      name: z.string(),
      color: z.number().int().default(0),
      deleted: z.boolean().default(false),
    })
    .optional(),
  labelChat: z.object({ id: z.string(), chat: z.string(), labeled: z.boolean() }).optional(),
});
export type SyncRequest = z.output<typeof syncSchema>;
export type SyncInput = z.input<typeof syncSchema>;
