import type { WaMedia, WaMessage } from '../../contracts/message.ts';
import type { MessageRow } from '../../contracts/rows.ts';
import type { MessageQuery, MessageStore } from '../../ports/read-models.ts';
import {
  composeMessageRow,
  isAck,
  type MessageFacts,
  matches,
  mediaFact,
  outdates,
  placeOf,
  positionRange,
  type ReactionFact,
  weakerAcks,
} from '../message-facts.ts';

export class MemoryMessageStore implements MessageStore {
  readonly #items = new Map<string, MessageFacts>();

  async add(session: string, message: WaMessage, seq: number): Promise<void> {
    const place = placeOf(session, message, seq);
    const placed = { ...place, message: structuredClone(message) };
    this.#change(session, place.id, (facts) => ({ ...facts, placed: facts.placed ?? placed }));
  }

  async raiseAck(session: string, id: string, ack: number): Promise<void> {
    if (!isAck(ack)) return;
    const weaker: readonly number[] = weakerAcks(ack);
    this.#change(session, id, (facts) =>
      facts.ack === undefined || weaker.includes(facts.ack) ? { ...facts, ack } : facts,
    );
  }

  async react(session: string, id: string, sender: string, text: string, timestamp: number): Promise<void> {
    const next: ReactionFact = { text, at: timestamp };
    this.#change(session, id, (facts) =>
      outdates(next, facts.reactions.get(sender))
        ? { ...facts, reactions: new Map(facts.reactions).set(sender, next) }
        : facts,
    );
  }

  async edit(session: string, id: string, body: string, content: string | undefined, timestamp: number): Promise<void> {
    const next = { text: body, at: timestamp };
    this.#change(session, id, (facts) => {
      const known = facts.edit && { text: facts.edit.body, at: facts.edit.at };
      return outdates(next, known) ? { ...facts, edit: { body, content, at: timestamp } } : facts;
    });
  }

  async revoke(session: string, id: string, timestamp: number): Promise<void> {
    this.#change(session, id, (facts) => ({ ...facts, revokedAt: Math.min(timestamp, facts.revokedAt ?? timestamp) }));
  }

  async setMedia(session: string, id: string, media: WaMedia, timestamp: number): Promise<void> {
    const next = mediaFact({ ...media }, timestamp);
    this.#change(session, id, (facts) => (outdates(next, facts.media) ? { ...facts, media: next } : facts));
  }

  async get(session: string, id: string): Promise<MessageRow | undefined> {
    const facts = this.#items.get(keyOf(session, id));
    return facts && composeMessageRow(facts);
  }

  async query(session: string, query: MessageQuery): Promise<readonly MessageRow[]> {
    const [from, to] = positionRange(query);
    const sign = query.sortOrder === 'asc' ? 1 : -1;
    const rows = [...this.#items.values()]
      .filter((facts) => facts.session === session)
      .flatMap((facts) => composeMessageRow(facts) ?? [])
      .filter((row) => query.chatId === undefined || row.chatId === query.chatId)
      .filter((row) => row.position >= from && row.position <= to && matches(row, query));
    return rows
      .sort((a, b) => (a.position < b.position ? -sign : sign))
      .slice(query.offset, query.offset + query.limit);
  }

  async clear(session: string): Promise<void> {
    for (const [key, facts] of this.#items) if (facts.session === session) this.#items.delete(key);
  }

  #change(session: string, id: string, change: (facts: MessageFacts) => MessageFacts): void {
    const key = keyOf(session, id);
    this.#items.set(key, change(this.#items.get(key) ?? { session, id, reactions: new Map() }));
  }
}

function keyOf(session: string, id: string): string {
  return `${session}\0${id}`;
}
