import type { ChatRow } from '#shared/contracts/rows.ts';
import type { ApiDeps } from '../deps.ts';
import { listedMessageView } from './message-view.ts';

export interface OverviewQuery {
  readonly ids?: readonly string[] | null | undefined;
  readonly limit: number;
  readonly offset: number;
}

export function chatView(row: ChatRow) {
  return { id: row.chatId, name: row.name, conversationTimestamp: row.timestamp };
}

/** Chats with their last messages, the latest first. */
export async function chatsOverview(
  { chats, messages }: Pick<ApiDeps, 'chats' | 'messages'>,
  session: string,
  { ids, limit, offset }: OverviewQuery,
  baseUrl: string,
) {
  const rows = await chats.query(session, {
    ...(ids?.length ? { ids } : {}),
    limit,
    offset,
    sortBy: 'timestamp',
    sortOrder: 'desc',
  });
  return Promise.all(
    rows.map(async (row) => {
      const last =
        row.lastMessageId === null ? undefined : await messages.get(session, row.lastMessageId, { chatId: row.chatId });
      return {
        id: row.chatId,
        name: row.name,
        picture: null,
        lastMessage: last === undefined ? null : listedMessageView(last, baseUrl),
        _chat: chatView(row),
      };
    }),
  );
}
