import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { mediaSchema, type WaMedia, type WaMessage, waMessageSchema } from '../contracts/message.ts';
import { INDEXES, TABLES } from '../contracts/resources.ts';
import type { MessageRow } from '../contracts/rows.ts';
import type { MessageQuery, MessageStore } from '../ports/read-models.ts';
import type { Expression } from './dynamodb-expression.ts';
import { DynamoDbTable } from './dynamodb-table.ts';
import {
  chatKeyOf,
  composeMessageRow,
  isAck,
  type MessageFacts,
  matches,
  mediaFact,
  placeOf,
  positionRange,
  weakerAcks,
} from './message-facts.ts';

/** Each sender's reaction is an attribute of its own: a new item needs no map to put it in. */
const REACTION_PREFIX = 'reaction:';
const LONGEST_PAGE = 500;

const placeSchema = z.object({
  id: z.string(),
  chatId: z.string(),
  chatKey: z.string(),
  position: z.string(),
  message: waMessageSchema,
});
const factsSchema = z.object({
  session: z.string(),
  id: z.string(),
  ack: z.number().optional(),
  edit: z.object({ body: z.string(), content: z.string().optional(), at: z.number() }).optional(),
  revokedAt: z.number().optional(),
  media: z.object({ media: mediaSchema, text: z.string(), at: z.number() }).optional(),
});
const reactionSchema = z.object({ text: z.string(), at: z.number() });

/**
 * One item per message, written by upserts in any order. Only `add` gives an item the keys of the indexes, so items
 * that know an ack or a reaction but not yet the message are in no query.
 */
export class DynamoDbMessageStore implements MessageStore {
  readonly #table: DynamoDbTable;

  constructor(client: DynamoDBDocumentClient, tableName: string = TABLES.messages) {
    this.#table = new DynamoDbTable(client, tableName);
  }

  async add(session: string, message: WaMessage, seq: number): Promise<void> {
    const { id, ...place } = placeOf(session, message, seq);
    await this.#table.update({ session, id }, (e) => ({
      update: e.update({ ...place, message }),
      condition: `attribute_not_exists(${e.name('message')})`,
    }));
  }

  async raiseAck(session: string, id: string, ack: number): Promise<void> {
    if (!isAck(ack)) return;
    await this.#table.update({ session, id }, (e) => {
      const column = e.name('ack');
      const weaker = weakerAcks(ack).map((value) => `${column} = ${e.value(value)}`);
      return { update: e.update({ ack }), condition: [`attribute_not_exists(${column})`, ...weaker].join(' OR ') };
    });
  }

  async react(session: string, id: string, sender: string, text: string, timestamp: number): Promise<void> {
    const attribute = `${REACTION_PREFIX}${sender}`;
    await this.#table.update({ session, id }, (e) => ({
      update: e.update({ [attribute]: { text, at: timestamp } }),
      condition: notOutdated(e, e.name(attribute), timestamp, 'text', text),
    }));
  }

  async edit(session: string, id: string, body: string, content: string | undefined, timestamp: number): Promise<void> {
    await this.#table.update({ session, id }, (e) => ({
      update: e.update({ edit: { body, content, at: timestamp } }),
      condition: notOutdated(e, e.name('edit'), timestamp, 'body', body),
    }));
  }

  async revoke(session: string, id: string, timestamp: number): Promise<void> {
    await this.#table.update({ session, id }, (e) => {
      const column = e.name('revokedAt');
      return {
        update: e.update({ revokedAt: timestamp }),
        condition: `attribute_not_exists(${column}) OR ${column} > ${e.value(timestamp)}`,
      };
    });
  }

  async setMedia(session: string, id: string, media: WaMedia, timestamp: number): Promise<void> {
    const fact = mediaFact(media, timestamp);
    await this.#table.update({ session, id }, (e) => ({
      update: e.update({ media: { ...fact } }),
      condition: notOutdated(e, e.name('media'), timestamp, 'text', fact.text),
    }));
  }

  async get(session: string, id: string): Promise<MessageRow | undefined> {
    const item = await this.#table.get({ session, id });
    return item && composeMessageRow(factsIn(item));
  }

  async query(session: string, query: MessageQuery): Promise<readonly MessageRow[]> {
    const { chatId, limit, offset } = query;
    const [from, to] = positionRange(query);
    const items = this.#table.query(
      (e) => {
        const partition =
          chatId === undefined
            ? `${e.name('session')} = ${e.value(session)}`
            : `${e.name('chatKey')} = ${e.value(chatKeyOf(session, chatId))}`;
        return `${partition} AND ${e.name('position')} BETWEEN ${e.value(from)} AND ${e.value(to)}`;
      },
      {
        IndexName: chatId === undefined ? INDEXES.messagesBySession : INDEXES.messagesByChat,
        ScanIndexForward: query.sortOrder === 'asc',
        Limit: Math.min(Math.max(1, offset + limit), LONGEST_PAGE),
      },
    );
    const rows: MessageRow[] = [];
    if (limit <= 0 || from > to) return rows;
    let skipped = 0;
    for await (const item of items) {
      const row = composeMessageRow(factsIn(item));
      if (row === undefined || !matches(row, query)) continue;
      if (skipped < offset) {
        skipped += 1;
        continue;
      }
      rows.push(row);
      if (rows.length >= limit) break;
    }
    return rows;
  }

  async clear(session: string): Promise<void> {
    await this.#table.deletePartition('session', session, 'id');
  }
}

/** Nothing later is there; of two at the same time the greater text stays, whichever came first. */
function notOutdated(e: Expression, attribute: string, at: number, textName: string, text: string): string {
  const time = `${attribute}.${e.name('at')}`;
  const value = e.value(at);
  const greater = `${attribute}.${e.name(textName)} < ${e.value(text)}`;
  return `attribute_not_exists(${attribute}) OR ${time} < ${value} OR (${time} = ${value} AND ${greater})`;
}

function factsIn(item: Record<string, unknown>): MessageFacts {
  const reactions = Object.entries(item)
    .filter(([attribute]) => attribute.startsWith(REACTION_PREFIX))
    .map(([attribute, value]) => [attribute.slice(REACTION_PREFIX.length), reactionSchema.parse(value)] as const);
  return {
    ...factsSchema.parse(item),
    reactions: new Map(reactions),
    placed: 'message' in item ? placeSchema.parse(item) : undefined,
  };
}
