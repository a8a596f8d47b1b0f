import * as z from 'zod';
import { isChatId } from '../domain/chat-id.ts';

/**
 * What the API may ask an engine to do, as data: the body of a job. Ids are already in canonical form, media is
 * already in the media bucket or named by URL. An engine's capabilities are the command types it has handlers for.
 */
export const chatIdSchema = z.string().refine(isChatId, { error: 'must be a chat id' });

/** A message that is referred to. `content` is its protobuf `Message`, base64, where the read model knows it. */
export const messageReferenceSchema = z.object({
  chatId: chatIdSchema,
  id: z.string(),
  fromMe: z.boolean(),
  participant: chatIdSchema.optional(),
  content: z.base64().optional(),
});
export type MessageReference = z.infer<typeof messageReferenceSchema>;

/** Media to be sent: an object in the media bucket, or a URL that the host fetches before the first try. */
export const mediaSourceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('object'), key: z.string(), mimetype: z.string(), filename: z.string().optional() }),
  z.object({
    kind: z.literal('url'),
    url: z.string(),
    mimetype: z.string().optional(),
    filename: z.string().optional(),
  }),
]);
export type MediaSource = z.infer<typeof mediaSourceSchema>;

const to = { chatId: chatIdSchema };
const reply = { quoted: messageReferenceSchema.optional() };
const mentions = { mentions: z.array(z.union([chatIdSchema, z.literal('all')])).optional() };
const media = { media: mediaSourceSchema, caption: z.string().optional() };

export const sendCommandSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('sendText'),
    ...to,
    ...reply,
    ...mentions,
    text: z.string(),
  }),
  z.object({ type: z.literal('sendImage'), ...to, ...reply, ...mentions, ...media }),
  z.object({ type: z.literal('sendFile'), ...to, ...reply, ...mentions, ...media }),
  z.object({ type: z.literal('sendVoice'), ...to, ...reply, media: mediaSourceSchema }),
  z.object({ type: z.literal('sendVideo'), ...to, ...reply, ...mentions, ...media, asNote: z.boolean().optional() }),
  z.object({
    type: z.literal('sendLocation'),
    ...to,
    ...reply,
    latitude: z.number(),
    longitude: z.number(),
    title: z.string().optional(),
  }),
  z.object({
    type: z.literal('sendContactVcard'),
    ...to,
    ...reply,
    contacts: z.array(z.object({ displayName: z.string(), vcard: z.string() })).min(1),
  }),
  z.object({
    type: z.literal('sendPoll'),
    ...to,
    ...reply,
    name: z.string(),
    options: z.array(z.string()).min(2).max(12),
    multipleAnswers: z.boolean(),
  }),
  /** An empty `reaction` takes an earlier one back. */
  z.object({ type: z.literal('sendReaction'), ...to, message: messageReferenceSchema, reaction: z.string() }),
  z.object({ type: z.literal('forwardMessage'), ...to, message: messageReferenceSchema }),
  z.object({ type: z.literal('editMessage'), ...to, message: messageReferenceSchema, text: z.string() }),
  z.object({ type: z.literal('deleteMessage'), ...to, message: messageReferenceSchema }),
]);
export type SendCommand = z.infer<typeof sendCommandSchema>;

export const controlCommandSchema = z.discriminatedUnion('type', [
  /** Marks messages read. Result: `{}`. */
  z.object({ type: z.literal('sendSeen'), ...to, messages: z.array(messageReferenceSchema) }),
  /** Shows or hides "typing…". Result: `{}`. */
  z.object({ type: z.literal('setTyping'), ...to, typing: z.boolean() }),
  /** Result: `{numberExists: boolean, chatId?: ChatId}`. */
  z.object({ type: z.literal('checkExists'), phone: z.string() }),
  /** Gets a message's media into the media bucket, if it is not there yet. Result: `{media: WAMedia}`, which says so if it failed. */
  z.object({ type: z.literal('downloadMedia'), message: messageReferenceSchema }),
  /** Asks for a pairing code while the session waits to be paired. Result: `{code: 'ABCD-EFGH'}`. */
  z.object({ type: z.literal('requestPairingCode'), phone: z.string() }),
]);
export type ControlCommand = z.infer<typeof controlCommandSchema>;

export const commandSchema = z.union([sendCommandSchema, controlCommandSchema]);
export type Command = z.infer<typeof commandSchema>;
export type CommandType = Command['type'];
export type CommandOf<T extends CommandType> = Extract<Command, { type: T }>;

export const SEND_TYPES = sendCommandSchema.options.map((option) => option.shape.type.value);

export function isSendCommand(command: Command): command is SendCommand {
  return (SEND_TYPES as readonly string[]).includes(command.type);
}
