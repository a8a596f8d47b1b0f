import type { chatsOperations } from '#shared/contracts/api/chats.ts';
import type { ChatsDeps } from '../deps.ts';
import { json } from '../reply.ts';
import type { ApiHandlers } from '../request.ts';
import { preferredWaitMs } from '../request-headers.ts';
import { chatsOverview, chatView } from '../use-cases/chats-overview.ts';
import { fetchMedia } from '../use-cases/fetch-media.ts';
import { findSession } from '../use-cases/find-session.ts';
import { listMessages } from '../use-cases/list-messages.ts';
import { messageNotFound } from '../use-cases/message-references.ts';
import { messageView } from '../use-cases/message-view.ts';
import { createChangeMessageHandlers } from './change-message-handlers.ts';

/** Chats and their messages, from the read models. */
export function createChatsHandlers(deps: ChatsDeps): ApiHandlers<typeof chatsOperations> {
  return {
    ...createChangeMessageHandlers(deps),
    listChats: async ({ operation, params, query }) => {
      const session = await findSession(deps, operation, params.session);
      const byTime = query.sortBy === 'conversationTimestamp' || query.sortBy === 'messageTimestamp';
      const rows = await deps.chats.query(session.name, {
        limit: query.limit,
        offset: query.offset,
        sortBy: byTime ? 'timestamp' : query.sortBy === 'id' ? 'id' : 'name',
        sortOrder: query.sortOrder ?? (byTime ? 'desc' : 'asc'),
      });
      return json(rows.map(chatView));
    },
    getChatsOverview: async ({ operation, params, query, baseUrl }) => {
      const session = await findSession(deps, operation, params.session);
      return json(await chatsOverview(deps, session.name, query, baseUrl));
    },
    postChatsOverview: async ({ operation, params, body, baseUrl }) => {
      const session = await findSession(deps, operation, params.session);
      const query = { ...body.pagination, ids: body.filter?.ids };
      return json(await chatsOverview(deps, session.name, query, baseUrl));
    },
    getChatMessages: async ({ operation, params, query, baseUrl }) => {
      const session = await findSession(deps, operation, params.session);
      return json(await listMessages(deps, session.name, params.chatId, query, baseUrl));
    },
    getChatMessage: async ({ operation, params, query, headers, baseUrl }) => {
      const session = await findSession(deps, operation, params.session);
      const { chatId, messageId } = params;
      const { id, key = chatId === 'all' ? {} : { chatId } } = messageId;
      const row = await deps.messages.get(session.name, id, key);
      if (row === undefined || (chatId !== 'all' && row.chatId !== chatId)) {
        throw messageNotFound(messageId);
      }
      const shown = query.downloadMedia === true ? await fetchMedia(deps, session, row, preferredWaitMs(headers)) : row;
      return json(messageView(shown, baseUrl));
    },
  };
}
