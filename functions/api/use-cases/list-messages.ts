import type * as z from 'zod';
import type { chatsOperations } from '#shared/contracts/api/chats.ts';
import type { MessageView } from '#shared/contracts/message.ts';
import { ACKS } from '#shared/domain/message-ack.ts';
import type { ApiDeps } from '../deps.ts';
import { listedMessageView } from './message-view.ts';

type MessagesQuery = z.output<typeof chatsOperations.getChatMessages.request.query>;

/** Messages of a chat, or of all, from the read model. */
export async function listMessages(
  { messages }: Pick<ApiDeps, 'messages'>,
  session: string,
  chatId: string,
  query: MessagesQuery,
  baseUrl: string,
): Promise<MessageView[]> {
  const from = query['filter.timestamp.gte'];
  const to = query['filter.timestamp.lte'];
  const fromMe = query['filter.fromMe'];
  const ack = query['filter.ack'];
  const rows = await messages.query(session, {
    ...(chatId === 'all' ? {} : { chatId }),
    limit: query.limit,
    offset: query.offset,
    sortOrder: query.sortOrder,
    ...(from === undefined ? {} : { timestampFrom: from }),
    ...(to === undefined ? {} : { timestampTo: to }),
    ...(fromMe === undefined ? {} : { fromMe }),
    ...(ack === undefined ? {} : { ack: ACKS[ack] }),
  });
  return rows.map((row) => listedMessageView(row, baseUrl));
}
