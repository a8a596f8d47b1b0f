import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { mediaSchema, type WaMedia, type WaMessage, waMessageSchema } from '../contracts/message.ts';
import { INDEXES, TABLES } from '../contracts/resources.ts';
import type { MessageRow } from '../contracts/rows.ts';
import {
  authorIn,
  authorKey,
  findMeant,
  isMeant,
  isSameAuthor,
  type MessageAuthor,
  type SaidOfAuthor,
} from '../domain/message-author.ts';
import { writtenMessageId } from '../domain/message-id.ts';
import type { MessageQuery, MessageStore, MessageText } from '../ports/read-models.ts';
import type { Expression } from './dynamodb-expression.ts';
import { DynamoDbTable } from './dynamodb-table.ts';
import { fittingEdit, fittingReaction } from './fitting-message.ts';
import {
  authorsOwn,
  chatKeyOf,
  composeMessageRow,
  type EditFact,
  type Fact,
  identityOf,
  isAck,
  type MessageFacts,
  matches,
  mediaFact,
  type PlacedMessage,
  placed,
  positionRange,
  weakerAcks,
} from './message-facts.ts';

/** Each author's news is an attribute of its own: nobody's stands in the way of another's, and a new item needs no map to put it in. */
const PREFIX = { edit: 'edit:', media: 'media:', reaction: 'reaction:', revoked: 'revoked:' } as const;
const LONGEST_PAGE = 500;

const placeSchema = z.object({
  chatId: z.string(),
  chatKey: z.string(),
  position: z.string(),
  message: waMessageSchema,
});
const itemSchema = z.object({ session: z.string(), id: z.string(), ack: z.number().optional() });
const fact = { at: z.number(), lid: z.string().optional() };
const factSchema = z.object(fact);
const mediaFactSchema = z.object({ ...fact, media: mediaSchema, text: z.string() });
const reactionFactSchema = z.object({ ...fact, text: z.string(), sender: z.string().optional() });
const editSchema = z.object({ at: z.number(), body: z.string(), content: z.string().optional() });

type Item = Readonly<Record<string, unknown>>;
/** Condition on the fact in a column, whose time is `at`. */
type GivesWay = (e: Expression, at: string, column: string) => string;

/** A message, and what is known under its id. */
interface Found {
  readonly facts: MessageFacts;
  /** When who has edited something; what it says now is an item of its own. */
  readonly edits: readonly Fact[];
  readonly message: PlacedMessage;
}

/**
 * One item for each id, written by upserts in any order, with the message and all that is told of it. Only a message gives an item the keys
 * of the indexes, so items that know an ack or a reaction but not yet the message are in no query. Beside it lie, under the id and `#`,
 * what others have sent under the same id and, since it may be as long as a message, what it was edited to.
 */
export class DynamoDbMessageStore implements MessageStore {
  readonly #table: DynamoDbTable;

  constructor(client: DynamoDBDocumentClient, tableName: string = TABLES.messages) {
    this.#table = new DynamoDbTable(client, tableName);
  }

  async add(session: string, message: WaMessage, seq: number): Promise<void> {
    const { id, author, ...stored } = placed(session, message, seq);
    const put = async (key: string) =>
      await this.#table.update({ session, id: key }, (e) => ({
        update: e.update(stored),
        condition: `attribute_not_exists(${e.name('message')})`,
      }));
    if ((await put(writtenMessageId(id))) !== undefined) return;
    const known = await this.#placedUnder(session, id);
    if (known.some((other) => isSameAuthor(other.author, author))) return;
    await put(`${writtenMessageId(id)}#${authorKey(author)}`);
  }

  async raiseAck(session: string, id: string, ack: number): Promise<void> {
    if (!isAck(ack)) return;
    await this.#table.update({ session, id: writtenMessageId(id) }, (e) => {
      const column = e.name('ack');
      const weaker = weakerAcks(ack).map((value) => `${column} = ${e.value(value)}`);
      return { update: e.update({ ack }), condition: [`attribute_not_exists(${column})`, ...weaker].join(' OR ') };
    });
  }

  async react(
    session: string,
    id: string,
    by: MessageAuthor,
    sender: string,
    text: string,
    timestamp: number,
  ): Promise<void> {
    const { participant, chatId, lid } = by;
    const written = fittingReaction(text);
    // A group has many members: what need not be said of each is not.
    const who = { ...(participant === undefined && { lid }), ...(sender !== (participant ?? chatId) && { sender }) };
    const attribute = `${PREFIX.reaction}${authorKey(by)}`;
    const fact = { text: written, at: timestamp, ...who };
    await this.#note(session, writtenMessageId(id), attribute, fact, outdated(timestamp, 'text', written));
  }

  async edit(session: string, id: string, by: MessageAuthor, text: MessageText, timestamp: number): Promise<void> {
    const edit = { ...fittingEdit(text), at: timestamp };
    await this.#note(session, editKey(id, by), 'edit', edit, outdated(timestamp, 'body', edit.body));
    const attribute = `${PREFIX.edit}${authorKey(by)}`;
    const fact = { at: timestamp, lid: by.lid };
    await this.#note(session, writtenMessageId(id), attribute, fact, (e, at) => `${at} < ${e.value(timestamp)}`);
  }

  async revoke(session: string, id: string, by: MessageAuthor, timestamp: number): Promise<void> {
    const attribute = `${PREFIX.revoked}${authorKey(by)}`;
    const fact = { at: timestamp, lid: by.lid };
    await this.#note(session, writtenMessageId(id), attribute, fact, (e, at) => `${at} > ${e.value(timestamp)}`);
  }

  async setMedia(session: string, id: string, by: MessageAuthor, media: WaMedia, timestamp: number): Promise<void> {
    const { by: _, ...found } = mediaFact(media, by, timestamp);
    const attribute = `${PREFIX.media}${authorKey(by)}`;
    const fact = { ...found, lid: by.lid };
    await this.#note(session, writtenMessageId(id), attribute, fact, outdated(timestamp, 'text', found.text));
  }

  async get(session: string, id: string, said: SaidOfAuthor = {}): Promise<MessageRow | undefined> {
    const item = await this.#table.get({ session, id: writtenMessageId(id) });
    const first = item && placedIn(item);
    if (item === undefined || first === undefined) return undefined;
    const others = isMeant(first.author, said) ? [] : await this.#others(session, id);
    const message = findMeant([first, ...others], said);
    return message && (await this.#rowOf(foundIn(item, message)));
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
    const page: Found[] = [];
    if (limit <= 0 || from > to) return [];
    let skipped = 0;
    for await (const item of items) {
      const found = await this.#foundFrom(item);
      if (found === undefined || !matches(composeMessageRow(found.facts, found.message, []), query)) continue;
      if (skipped < offset) {
        skipped += 1;
        continue;
      }
      page.push(found);
      if (page.length >= limit) break;
    }
    return await Promise.all(page.map((found) => this.#rowOf(found)));
  }

  async clear(session: string): Promise<void> {
    await this.#table.deletePartition('session', session, 'id');
  }

  /** Writes a fact down if there is none yet, or the one that there is gives way. */
  async #note(session: string, key: string, attribute: string, fact: Item, givesWay: GivesWay): Promise<void> {
    await this.#table.update({ session, id: key }, (e) => {
      const column = e.name(attribute);
      return {
        update: e.update({ [attribute]: fact }),
        condition: `attribute_not_exists(${column}) OR ${givesWay(e, `${column}.${e.name('at')}`, column)}`,
      };
    });
  }

  /** The messages that have been added under an id. */
  async #placedUnder(session: string, id: string): Promise<readonly PlacedMessage[]> {
    const first = await this.#table.get({ session, id: writtenMessageId(id) });
    return [...(first === undefined ? [] : [placedIn(first)]), ...(await this.#others(session, id))].filter(
      (message) => message !== undefined,
    );
  }

  /** The messages under an id beside the first. */
  async #others(session: string, id: string): Promise<readonly PlacedMessage[]> {
    const prefix = `${writtenMessageId(id)}#`;
    const items = this.#table.query(
      (e) => `${e.name('session')} = ${e.value(session)} AND begins_with(${e.name('id')}, ${e.value(prefix)})`,
      { ConsistentRead: true },
    );
    const others: PlacedMessage[] = [];
    for await (const item of items) others.push(...[placedIn(item)].filter((message) => message !== undefined));
    return others;
  }

  /** @param item of an index */
  async #foundFrom(item: Item): Promise<Found | undefined> {
    const message = placedIn(item);
    if (message === undefined) return undefined;
    const { session, id } = itemSchema.parse(item);
    const key = writtenMessageId(message.id);
    const first = id === key ? item : await this.#table.get({ session, id: key });
    return first && foundIn(first, message);
  }

  async #rowOf({ facts, edits, message }: Found): Promise<MessageRow> {
    const own = authorsOwn(edits, message).map(async ({ by }): Promise<EditFact | undefined> => {
      const item = await this.#table.get({ session: facts.session, id: editKey(message.id, by) });
      return item && { by, ...editSchema.parse(item.edit) };
    });
    const texts = (await Promise.all(own)).filter((edit) => edit !== undefined);
    return composeMessageRow(facts, message, texts);
  }
}

function editKey(id: string, by: MessageAuthor): string {
  return `${writtenMessageId(id)}#edit#${authorKey(by)}`;
}

/** Of two at the same time the greater text stays, whichever came first. */
function outdated(time: number, textName: string, text: string): GivesWay {
  return (e, at, column) => {
    const value = e.value(time);
    const greater = `${column}.${e.name(textName)} < ${e.value(text)}`;
    return `${at} < ${value} OR (${at} = ${value} AND ${greater})`;
  };
}

function placedIn(item: Item): PlacedMessage | undefined {
  if (!('message' in item)) return undefined;
  const place = placeSchema.parse(item);
  return { ...place, ...identityOf(place.message) };
}

function foundIn(item: Item, message: PlacedMessage): Found {
  const { session, ack } = itemSchema.parse(item);
  return {
    message,
    edits: factsIn(item, PREFIX.edit, factSchema),
    facts: {
      session,
      ack,
      revocations: factsIn(item, PREFIX.revoked, factSchema),
      media: factsIn(item, PREFIX.media, mediaFactSchema),
      reactions: factsIn(item, PREFIX.reaction, reactionFactSchema).map(({ by, sender, ...fact }) => ({
        ...fact,
        by,
        sender: sender ?? by.participant ?? by.chatId,
      })),
    },
  };
}

function factsIn<T extends { readonly lid?: string | undefined }>(
  item: Item,
  prefix: string,
  schema: z.ZodType<T>,
): readonly (Omit<T, 'lid'> & { readonly by: MessageAuthor })[] {
  return Object.entries(item).flatMap(([attribute, value]) => {
    if (!attribute.startsWith(prefix)) return [];
    const { lid, ...fact } = schema.parse(value);
    const by = authorIn(attribute.slice(prefix.length), lid);
    return by === undefined ? [] : [{ ...fact, by }];
  });
}
