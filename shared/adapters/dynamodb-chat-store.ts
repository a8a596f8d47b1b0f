import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { INDEXES, TABLES } from '../contracts/resources.ts';
import { type ChatRow, chatRowSchema } from '../contracts/rows.ts';
import type { ChatQuery, ChatStore } from '../ports/read-models.ts';
import { pageOfChats } from './chat-order.ts';
import type { Expression } from './dynamodb-expression.ts';
import { DynamoDbTable } from './dynamodb-table.ts';
import { fittingLabel } from './fitting-message.ts';
import { positionOf } from './message-facts.ts';

/** One item per chat. `namePosition` is the position of the message that the name came with: the latest name stays. */
export class DynamoDbChatStore implements ChatStore {
  readonly #table: DynamoDbTable;

  constructor(client: DynamoDBDocumentClient, tableName: string = TABLES.chats) {
    this.#table = new DynamoDbTable(client, tableName);
  }

  async touch(
    session: string,
    chatId: string,
    message: { readonly id: string; readonly timestamp: number; readonly seq: number },
    name?: string,
  ): Promise<void> {
    const position = positionOf(message.timestamp, message.seq, message.id);
    const key = { session, chatId };
    const moved = { position, timestamp: message.timestamp, lastMessageId: message.id };
    const named = { name: name && fittingLabel(name), namePosition: position };
    if (name !== undefined) {
      const both = await this.#table.update(key, (e) => ({
        update: e.update({ ...moved, ...named }),
        condition: `${notAfter(e, 'position', position)} AND ${notAfter(e, 'namePosition', position)}`,
      }));
      if (both !== undefined) return;
      // Position and timestamp come with every item; a name alone would not be a chat.
      await this.#table.update(key, (e) => ({
        update: e.update(named),
        condition: `attribute_exists(${e.name('position')}) AND ${notAfter(e, 'namePosition', position)}`,
      }));
    }
    await this.#table.update(key, (e) => ({
      update: e.update(moved),
      condition: notAfter(e, 'position', position),
    }));
  }

  async query(session: string, query: ChatQuery): Promise<readonly ChatRow[]> {
    if (query.limit <= 0) return [];
    if (query.ids !== undefined) {
      const keys = [...new Set(query.ids)].map((chatId) => ({ session, chatId }));
      return pageOfChats((await this.#table.getMany(keys)).map(rowIn), query);
    }
    if (query.sortBy !== 'timestamp')
      return pageOfChats(await this.#read(session, {}, Number.POSITIVE_INFINITY), query);
    const newest = { IndexName: INDEXES.chatsByTime, ScanIndexForward: query.sortOrder === 'asc' };
    return (await this.#read(session, newest, query.offset + query.limit)).slice(query.offset);
  }

  async clear(session: string): Promise<void> {
    await this.#table.deletePartition('session', session, 'chatId');
  }

  async #read(
    session: string,
    options: { readonly IndexName?: string; readonly ScanIndexForward?: boolean },
    atMost: number,
  ): Promise<readonly ChatRow[]> {
    const rows: ChatRow[] = [];
    const items = this.#table.query((e) => `${e.name('session')} = ${e.value(session)}`, {
      ...options,
      ...(Number.isFinite(atMost) && { Limit: Math.min(atMost, 1000) }),
    });
    for await (const item of items) {
      rows.push(rowIn(item));
      if (rows.length >= atMost) break;
    }
    return rows;
  }
}

/** Equal positions are written again, so that a repeated event costs one write. */
function notAfter(e: Expression, attribute: string, position: string): string {
  const column = e.name(attribute);
  return `(attribute_not_exists(${column}) OR ${column} <= ${e.value(position)})`;
}

function rowIn(item: Record<string, unknown>): ChatRow {
  return chatRowSchema.parse({ name: null, ...item });
}
