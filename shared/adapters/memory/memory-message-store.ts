import type { WaMedia, WaMessage } from '../../contracts/message.ts';
import type { MessageRow } from '../../contracts/rows.ts';
import {
  authorKey,
  findMeant,
  isSameAuthor,
  type MessageAuthor,
  type SaidOfAuthor,
} from '../../domain/message-author.ts';
import { writtenMessageId } from '../../domain/message-id.ts';
import type { MessageQuery, MessageStore, MessageText } from '../../ports/read-models.ts';
import { fittingEdit, fittingReaction } from '../fitting-message.ts';
import {
  composeMessageRow,
  type EditFact,
  type Fact,
  isAck,
  latestOf,
  type MessageFacts,
  matches,
  mediaFact,
  type PlacedMessage,
  placed,
  positionRange,
  type ReactionFact,
  weakerAcks,
} from '../message-facts.ts';

/** All that is known under one id. */
interface Known extends MessageFacts {
  readonly messages: readonly PlacedMessage[];
  readonly edits: readonly EditFact[];
}

export class MemoryMessageStore implements MessageStore {
  readonly #items = new Map<string, Known>();

  async add(session: string, message: WaMessage, seq: number): Promise<void> {
    const added = placed(session, structuredClone(message), seq);
    this.#change(session, added.id, ({ messages }) =>
      messages.some(({ author }) => isSameAuthor(author, added.author)) ? {} : { messages: [...messages, added] },
    );
  }

  async raiseAck(session: string, id: string, ack: number): Promise<void> {
    if (!isAck(ack)) return;
    const weaker: readonly number[] = weakerAcks(ack);
    this.#change(session, id, (known) => (known.ack === undefined || weaker.includes(known.ack) ? { ack } : {}));
  }

  async react(
    session: string,
    id: string,
    by: MessageAuthor,
    sender: string,
    text: string,
    timestamp: number,
  ): Promise<void> {
    const fact: ReactionFact = { by, sender, text: fittingReaction(text), at: timestamp };
    this.#change(session, id, ({ reactions }) => ({ reactions: withLatest(reactions, fact, (one) => one.text) }));
  }

  async edit(session: string, id: string, by: MessageAuthor, text: MessageText, timestamp: number): Promise<void> {
    const fact: EditFact = { by, ...fittingEdit(text), at: timestamp };
    this.#change(session, id, ({ edits }) => ({ edits: withLatest(edits, fact, ({ body }) => body) }));
  }

  async revoke(session: string, id: string, by: MessageAuthor, timestamp: number): Promise<void> {
    this.#change(session, id, ({ revocations }) => ({ revocations: [...revocations, { by, at: timestamp }] }));
  }

  async setMedia(session: string, id: string, by: MessageAuthor, media: WaMedia, timestamp: number): Promise<void> {
    const fact = mediaFact({ ...media }, by, timestamp);
    this.#change(session, id, (known) => ({ media: withLatest(known.media, fact, ({ text }) => text) }));
  }

  async get(session: string, id: string, said: SaidOfAuthor = {}): Promise<MessageRow | undefined> {
    const known = this.#items.get(keyOf(session, id));
    const message = known && findMeant(known.messages, said);
    return known && message && composeMessageRow(known, message, known.edits);
  }

  async query(session: string, query: MessageQuery): Promise<readonly MessageRow[]> {
    const [from, to] = positionRange(query);
    const sign = query.sortOrder === 'asc' ? 1 : -1;
    const rows = [...this.#items.values()]
      .filter((known) => known.session === session)
      .flatMap((known) => known.messages.map((message) => composeMessageRow(known, message, known.edits)))
      .filter((row) => query.chatId === undefined || row.chatId === query.chatId)
      .filter((row) => row.position >= from && row.position <= to && matches(row, query));
    return rows
      .sort((a, b) => (a.position < b.position ? -sign : sign))
      .slice(query.offset, query.offset + query.limit);
  }

  async clear(session: string): Promise<void> {
    for (const [key, known] of this.#items) if (known.session === session) this.#items.delete(key);
  }

  #change(session: string, id: string, change: (known: Known) => Partial<Known>): void {
    const key = keyOf(session, id);
    const nothing = { session, messages: [], edits: [], revocations: [], media: [], reactions: [] };
    const known = this.#items.get(key) ?? nothing;
    this.#items.set(key, { ...known, ...change(known) });
  }
}

/** Of each author the latest. */
function withLatest<T extends Fact>(facts: readonly T[], next: T, textOf: (fact: T) => string): readonly T[] {
  const isOf = ({ by }: T) => authorKey(by) === authorKey(next.by);
  return [...facts.filter((fact) => !isOf(fact)), latestOf([...facts.filter(isOf), next], textOf) ?? next];
}

function keyOf(session: string, id: string): string {
  return `${session}\0${writtenMessageId(id)}`;
}
