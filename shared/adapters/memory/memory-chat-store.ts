import type { ChatRow } from '../../contracts/rows.ts';
import type { ChatQuery, ChatStore } from '../../ports/read-models.ts';
import { pageOfChats } from '../chat-order.ts';
import { fittingLabel } from '../fitting-message.ts';
import { positionOf } from '../message-facts.ts';

interface Chat {
  readonly row: ChatRow;
  /** Position of the message that the name came with. */
  readonly namePosition: string;
}

export class MemoryChatStore implements ChatStore {
  readonly #chats = new Map<string, Chat>();

  async touch(
    session: string,
    chatId: string,
    message: { readonly id: string; readonly timestamp: number; readonly seq: number },
    name?: string,
  ): Promise<void> {
    const key = `${session}\0${chatId}`;
    const position = positionOf(message.timestamp, message.seq, message.id);
    const known = this.#chats.get(key);
    const moves = known === undefined || known.row.position <= position;
    const names = name !== undefined && (known === undefined || known.namePosition <= position);
    const place = moves ? { lastMessageId: message.id, timestamp: message.timestamp, position } : known.row;
    this.#chats.set(key, {
      row: { ...place, session, chatId, name: names ? fittingLabel(name) : (known?.row.name ?? null) },
      namePosition: names ? position : (known?.namePosition ?? ''),
    });
  }

  async query(session: string, query: ChatQuery): Promise<readonly ChatRow[]> {
    const rows = [...this.#chats.values()].map(({ row }) => row).filter((row) => row.session === session);
    const wanted = query.ids === undefined ? rows : rows.filter((row) => query.ids?.includes(row.chatId));
    return pageOfChats(structuredClone(wanted), query);
  }

  async clear(session: string): Promise<void> {
    for (const [key, { row }] of this.#chats) if (row.session === session) this.#chats.delete(key);
  }
}
