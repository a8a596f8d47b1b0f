import * as z from 'zod';
import { messageSchema } from '../message.ts';
import { numberExistsSchema, pendingJobSchema, sentMessageSchema } from './bodies.ts';
import { messagesQueryFields } from './chats.ts';
import {
  chatIdField,
  chatIdOrAllField,
  convertField,
  degrees,
  messageIdField,
  nullishBoolean,
  phoneField,
  presetIdField,
  recipientField,
  sessionField,
  sessionParam,
  unusedBoolean,
} from './fields.ts';
import { fileField } from './file-field.ts';
import { defineOperations } from './operation.ts';

/** Longest text of a message, in characters. */
const MAX_TEXT = 65_536;

const to = { session: sessionField, chatId: chatIdField };
const recipient = { ...to, chatId: recipientField };
const message = { ...recipient, id: presetIdField, reply_to: messageIdField.nullish() };
const mentions = {
  mentions: z
    .array(z.union([z.literal('all'), chatIdField]))
    .max(1024)
    .nullish(),
};
const text = z.string().min(1).max(MAX_TEXT);
const caption = z.string().max(MAX_TEXT).nullish();
const media = { ...message, ...mentions, file: fileField, caption };
const textBody = z.object({
  ...message,
  ...mentions,
  text,
  linkPreview: unusedBoolean,
  linkPreviewHighQuality: unusedBoolean,
});
const line = z.string().max(1000);
const contact = z.union([
  z.object({ vcard: z.string().min(1).max(65_536) }),
  z.object({
    fullName: line.min(1),
    phoneNumber: line.min(1),
    organization: line.nullish(),
    whatsappId: line.nullish(),
    vcard: z.null().optional(),
  }),
]);

const send = { method: 'POST', scope: 'send', session: 'body.session', engines: 'all' } as const;
const sent = { response: { status: 201, schema: sentMessageSchema } } as const;
const done = {
  response: { status: 201, schema: z.record(z.string(), z.unknown()), also: { 202: pendingJobSchema } },
} as const;

export const chattingOperations = defineOperations('chatting', {
  sendText: {
    ...send,
    ...sent,
    path: '/api/sendText',
    summary: 'Send a text',
    makes: 'sendText',
    request: { body: textBody },
  },
  sendTextByQuery: {
    method: 'GET',
    path: '/api/sendText',
    scope: 'send',
    summary: 'Send a text',
    session: 'query.session',
    makes: 'sendText',
    engines: 'all',
    deprecated: true,
    request: { query: z.object({ session: sessionField, phone: recipientField, text }) },
    response: { status: 200, schema: sentMessageSchema },
  },
  sendImage: {
    ...send,
    ...sent,
    path: '/api/sendImage',
    summary: 'Send an image (JPEG, PNG, WebP, GIF)',
    makes: 'sendImage',
    request: { body: z.object(media) },
  },
  sendFile: {
    ...send,
    ...sent,
    path: '/api/sendFile',
    summary: 'Send a file as a document',
    makes: 'sendFile',
    request: { body: z.object(media) },
  },
  sendVoice: {
    ...send,
    ...sent,
    path: '/api/sendVoice',
    summary: 'Send a voice message (opus in ogg)',
    makes: 'sendVoice',
    request: { body: z.object({ ...message, file: fileField, convert: convertField }) },
  },
  sendVideo: {
    ...send,
    ...sent,
    path: '/api/sendVideo',
    summary: 'Send a video (mp4), or a round video note',
    makes: 'sendVideo',
    request: { body: z.object({ ...media, convert: convertField, asNote: nullishBoolean }) },
  },
  sendLocation: {
    ...send,
    ...sent,
    path: '/api/sendLocation',
    summary: 'Send a place on the map',
    makes: 'sendLocation',
    request: {
      body: z.object({
        ...message,
        latitude: degrees(90),
        longitude: degrees(180),
        title: z.string().max(1000).nullish(),
      }),
    },
  },
  sendContactVcard: {
    ...send,
    ...sent,
    path: '/api/sendContactVcard',
    summary: 'Send contacts, as vCards or as fields',
    makes: 'sendContactVcard',
    request: { body: z.object({ ...message, contacts: z.array(contact).min(1).max(100) }) },
  },
  sendPoll: {
    ...send,
    ...sent,
    path: '/api/sendPoll',
    summary: 'Send a poll',
    makes: 'sendPoll',
    request: {
      body: z.object({
        ...message,
        poll: z.object({
          name: z.string().min(1).max(1000),
          options: z
            .array(z.string().min(1).max(500))
            .min(2)
            .max(12)
            .refine((options) => new Set(options).size === options.length, { error: 'must differ from each other' }),
          multipleAnswers: nullishBoolean,
        }),
      }),
    },
  },
  forwardMessage: {
    ...send,
    ...sent,
    path: '/api/forwardMessage',
    summary: 'Forward a message that the session has seen',
    makes: 'forwardMessage',
    engines: ['NOWEB', 'WEBJS', 'SCRIPTED'],
    request: { body: z.object({ ...recipient, id: presetIdField, messageId: messageIdField }) },
  },
  reply: {
    ...send,
    ...sent,
    path: '/api/reply',
    summary: 'Send a text as a reply; sendText with reply_to does the same',
    makes: 'sendText',
    deprecated: true,
    request: { body: textBody },
  },
  setReaction: {
    ...send,
    method: 'PUT',
    path: '/api/reaction',
    summary: 'React to a message; an empty reaction takes an earlier one back',
    makes: 'sendReaction',
    request: { body: z.object({ session: sessionField, messageId: messageIdField, reaction: z.string().max(64) }) },
    response: { status: 200, schema: sentMessageSchema },
  },
  sendSeen: {
    ...send,
    ...done,
    path: '/api/sendSeen',
    summary: 'Mark messages read; without ids, the unread ones of the last seven days',
    makes: 'sendSeen',
    request: {
      body: z.object({
        ...to,
        messageId: messageIdField.nullish(),
        messageIds: z.array(messageIdField).max(1000).nullish(),
        participant: chatIdField.nullish(),
      }),
    },
  },
  startTyping: {
    ...send,
    ...done,
    path: '/api/startTyping',
    summary: 'Show that the session is typing',
    makes: 'setTyping',
    request: { body: z.object(to) },
  },
  stopTyping: {
    ...send,
    ...done,
    path: '/api/stopTyping',
    summary: 'Show that the session is no longer typing',
    makes: 'setTyping',
    request: { body: z.object(to) },
  },
  newMessageId: {
    method: 'GET',
    path: '/api/{session}/new-message-id',
    scope: 'send',
    summary: 'Make an id that a later send may carry',
    session: 'params.session',
    makes: 'read',
    engines: 'all',
    request: { params: z.object({ session: sessionParam }) },
    response: { status: 200, schema: z.object({ id: z.string() }) },
  },
  getMessages: {
    method: 'GET',
    path: '/api/messages',
    scope: 'read',
    summary: 'Get messages of a chat',
    session: 'query.session',
    makes: 'read',
    engines: 'all',
    deprecated: true,
    request: { query: z.object({ session: sessionField, chatId: chatIdOrAllField, ...messagesQueryFields }) },
    response: { status: 200, schema: z.array(messageSchema) },
  },
  checkNumberStatus: {
    method: 'GET',
    path: '/api/checkNumberStatus',
    scope: 'read',
    summary: 'Check whether a phone number is on WhatsApp',
    session: 'query.session',
    makes: 'checkExists',
    engines: 'all',
    deprecated: true,
    request: { query: z.object({ session: sessionField, phone: phoneField }) },
    response: { status: 200, schema: numberExistsSchema, also: { 202: pendingJobSchema } },
  },
});
