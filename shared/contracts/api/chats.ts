import * as z from 'zod';
import { messageSchema } from '../message.ts';
import { chatSchema, chatSummarySchema, sentMessageSchema } from './bodies.ts';
import {
  chatIdField,
  chatIdOrAllField,
  messageIdField,
  queryBoolean,
  queryInteger,
  queryList,
  sessionParam,
  sortOrderField,
  unusedBoolean,
  unusedQueryBoolean,
} from './fields.ts';
import { defineOperations } from './operation.ts';

/** Most rows that one page may have. */
const MAX_PAGE = 1000;
const MAX_OFFSET = 100_000;

const offset = queryInteger(0, MAX_OFFSET).default(0);
const timestamp = queryInteger(0, 9_999_999_999).optional();

/** Query of the message lists. Timestamps are in seconds, inclusive. */
export const messagesQueryFields = {
  limit: queryInteger(1, MAX_PAGE).default(10),
  offset,
  sortBy: z.enum(['timestamp', 'messageTimestamp']).default('timestamp'),
  sortOrder: sortOrderField.default('desc'),
  downloadMedia: unusedQueryBoolean,
  merge: unusedQueryBoolean,
  'filter.timestamp.lte': timestamp,
  'filter.timestamp.gte': timestamp,
  'filter.fromMe': queryBoolean.optional(),
  'filter.ack': z.enum(['ERROR', 'PENDING', 'SERVER', 'DEVICE', 'READ', 'PLAYED']).optional(),
};

const downloadMediaField = queryBoolean.optional().meta({
  type: 'boolean',
  description:
    'With true, media that is not stored is downloaded again, while the session is WORKING; where that fails, the message comes as it is. Where it is stored, of no effect.',
});

const params = z.object({ session: sessionParam });
const messageParams = params.extend({ chatId: chatIdField, messageId: messageIdField });
const read = { scope: 'read', session: 'params.session', makes: 'read', engines: 'all' } as const;
const change = { scope: 'send', session: 'params.session', engines: 'all' } as const;

export const chatsOperations = defineOperations('chats', {
  listChats: {
    ...read,
    method: 'GET',
    path: '/api/{session}/chats',
    summary: 'List chats, the latest first',
    request: {
      params,
      query: z.object({
        limit: queryInteger(1, MAX_PAGE).default(MAX_PAGE),
        offset,
        sortBy: z.enum(['conversationTimestamp', 'messageTimestamp', 'id', 'name']).default('conversationTimestamp'),
        sortOrder: sortOrderField.optional(),
        merge: unusedQueryBoolean,
      }),
    },
    response: { status: 200, schema: z.array(chatSchema) },
  },
  getChatsOverview: {
    ...read,
    method: 'GET',
    path: '/api/{session}/chats/overview',
    summary: 'List chats with their last messages',
    request: {
      params,
      query: z.object({
        limit: queryInteger(1, MAX_PAGE).default(20),
        offset,
        ids: queryList.pipe(z.array(chatIdField).max(MAX_PAGE)).optional(),
        merge: unusedQueryBoolean,
      }),
    },
    response: { status: 200, schema: z.array(chatSummarySchema) },
  },
  postChatsOverview: {
    ...read,
    method: 'POST',
    path: '/api/{session}/chats/overview',
    summary: 'List chats with their last messages, for many ids',
    request: {
      params,
      body: z.object({
        pagination: z.object({
          limit: z.number().int().min(1).max(MAX_PAGE).default(20),
          offset: z.number().int().min(0).max(MAX_OFFSET).default(0),
          merge: unusedBoolean,
        }),
        filter: z.object({ ids: z.array(chatIdField).max(MAX_PAGE).nullish() }).nullish(),
      }),
    },
    response: { status: 201, schema: z.array(chatSummarySchema) },
  },
  getChatMessages: {
    ...read,
    method: 'GET',
    path: '/api/{session}/chats/{chatId}/messages',
    summary: 'Get messages of a chat, the latest first; the chat `all` means every chat',
    request: { params: params.extend({ chatId: chatIdOrAllField }), query: z.object(messagesQueryFields) },
    response: { status: 200, schema: z.array(messageSchema) },
  },
  getChatMessage: {
    ...read,
    method: 'GET',
    path: '/api/{session}/chats/{chatId}/messages/{messageId}',
    summary: 'Get a message',
    request: {
      params: params.extend({ chatId: chatIdOrAllField, messageId: messageIdField }),
      query: z.object({ downloadMedia: downloadMediaField, merge: unusedQueryBoolean }),
    },
    response: { status: 200, schema: messageSchema },
  },
  editMessage: {
    ...change,
    method: 'PUT',
    path: '/api/{session}/chats/{chatId}/messages/{messageId}',
    summary: 'Change the text of a message that the session has sent',
    makes: 'editMessage',
    request: {
      params: messageParams,
      body: z.object({
        text: z.string().min(1).max(65_536),
        linkPreview: unusedBoolean,
        linkPreviewHighQuality: unusedBoolean,
      }),
    },
    response: { status: 200, schema: sentMessageSchema },
  },
  deleteMessage: {
    ...change,
    method: 'DELETE',
    path: '/api/{session}/chats/{chatId}/messages/{messageId}',
    summary: 'Delete a message for everyone',
    makes: 'deleteMessage',
    request: { params: messageParams },
    response: { status: 200, schema: sentMessageSchema },
  },
});
