import { jidNormalizedUser, proto, type WAMessage, type WAMessageKey } from '@whiskeysockets/baileys';
import type { Logger } from 'pino';
import type { ChatId } from '#shared/domain/chat-id.ts';
import { formatMessageId } from '#shared/domain/message-id.ts';
import type { EngineEvent } from '../engine.ts';
import { readEventResponse } from './event-responses.ts';
import { type AddressedMessage, resolveMessage } from './ids.ts';
import { Lanes } from './lanes.ts';
import { type MessageContent, toNumber } from './msgconv/content.ts';
import type { SealedEventResponse } from './msgconv/event-response.ts';
import { readMentions } from './msgconv/mentions.ts';
import { readQuoted } from './msgconv/quoted.ts';
import { type Meaning, readMessage } from './msgconv/read-message.ts';
import type { Vote } from './msgconv/vote.ts';
import { selectedOptions } from './poll-votes.ts';
import { serverAck } from './receipts.ts';
import type { AnswerPorts } from './sealed-answers.ts';
import { destinationOf, type MessageParts, type MessageSource, type People, toWaMessage } from './wa-message.ts';

export interface InboundPorts extends AnswerPorts {
  /** The account's own chat id. */
  me(): ChatId | undefined;
  /** As `lookUpOther`, at once: the order of things is decided when they come. */
  otherAddress(jid: string): string | undefined;
  /** Stores a message's media and says where. */
  storeMedia(key: WAMessageKey, content: MessageContent, source: MessageSource): Promise<MessageParts['media']>;
  /** @param published to be called when the event has left for good */
  emit(event: EngineEvent, published: () => void): void;
  readonly logger: Logger;
}

/** Turns messages of every origin (contacts, own phone, own API) into events. The order within a chat is kept. */
export class Inbound {
  readonly #ports: InboundPorts;
  readonly #lanes = new Lanes();

  constructor(ports: InboundPorts) {
    this.#ports = ports;
  }

  /**
   * @param done called once when all of the message's events are published, or when it makes none. Not called when it
   *   cannot be converted
   * @param traceparent of the job that has sent it
   * @returns when the message's events have been handed over; false when it cannot be converted
   */
  accept(
    message: WAMessage,
    source: MessageSource,
    done: () => void = () => {},
    traceparent?: string,
  ): Promise<boolean> {
    const convert = async (emit: Emit) => {
      const events: EngineEvent[] = [];
      await this.#convert(message, source, (event) => events.push(event));
      // In one turn, so that they go into the log and on the bus together.
      for (const event of events) emit({ ...event, traceparent });
    };
    return this.inOrder(subjectsOf(message.key), convert, done);
  }

  /** Resolves when everything taken so far has become events. */
  idle(): Promise<void> {
    return this.#lanes.idle();
  }

  /**
   * Runs something after what is under way in its chat, or about the same message. Failures are logged, never thrown.
   * @param done as in `accept`
   * @returns as `accept`
   */
  async inOrder(
    subjects: Subjects,
    work: (emit: Emit) => Promise<void>,
    done: () => void = () => {},
  ): Promise<boolean> {
    // One for the work itself: its events may be published before it has made the last of them.
    let open = 1;
    const close = () => {
      open -= 1;
      if (open === 0) done();
    };
    const emit: Emit = (event) => {
      open += 1;
      this.#ports.emit(event, close);
    };
    try {
      await this.#lanes.run(this.#lanesOf(subjects), () => work(emit));
      close();
      return true;
    } catch (error) {
      this.#ports.logger.error({ err: error }, 'an inbound happening could not be converted');
      return false;
    }
  }

  /**
   * A chat with a person is a lane under each of its addresses, and what belongs to it takes all that are known when it
   * comes. So two things of one chat are in order as soon as one of them came with both addresses, or the other address was
   * known by the time the later one came, also when it became known between them. What came under one address each while
   * nothing said that both are one person's is in two lanes; of that, all that tells of one message is in order by its id.
   */
  #lanesOf({ chats = [], ids = [] }: Subjects): readonly string[] {
    // An id is its sender's choice, and may be somebody else's JID.
    const lanes = new Set(ids.map((id) => `id/${id}`));
    for (const chat of chats) {
      const jid = jidNormalizedUser(chat);
      lanes.add(`chat/${jid || chat}`);
      const other = jidNormalizedUser(this.#ports.otherAddress(jid));
      if (other) lanes.add(`chat/${other}`);
    }
    return lanes.size > 0 ? [...lanes] : ['account'];
  }

  async #convert(message: WAMessage, source: MessageSource, emit: Emit): Promise<void> {
    const me = this.#ports.me();
    const address = await resolveMessage(message.key, me, this.#ports.lookUpOther);
    if (!address || !me) return;
    const meaning: Meaning = message.message ? readMessage(message.message) : { kind: 'nothing' };
    const base = { message, address, source, me, timestamp: toNumber(message.messageTimestamp), emit };
    await this.#tell(base, meaning);
    if (source === 'api') emit(serverAck(address, me, base.timestamp * 1000));
  }

  async #tell(base: Base, meaning: Meaning): Promise<void> {
    switch (meaning.kind) {
      case 'message':
        return this.#emitMessage(base, meaning.content);
      case 'reaction':
        return this.#emitReaction(base, meaning.reaction);
      case 'edit':
        return this.#emitEdit(base, meaning.edit, meaning.content);
      case 'revoke':
        return this.#emitRevoke(base, meaning.targetId);
      case 'vote':
        return this.#emitVote(base, meaning.vote);
      case 'event-response':
        return this.#emitEventResponse(base, meaning.response);
      case 'nothing':
        return this.#emitWaiting(base);
    }
  }

  async #emitMessage(base: Base, content: MessageContent): Promise<void> {
    const { message, source } = base;
    const media = content.media ? await this.#ports.storeMedia(message.key, content, source) : null;
    const payload = toWaMessage({ ...base, content, media, people: await this.#peopleIn(content) });
    const key = base.address.eventKey;
    const timestamp = base.timestamp * 1000;
    if (message.key.fromMe !== true) base.emit({ body: { event: 'message', payload }, key, timestamp });
    base.emit({ body: { event: 'message.any', payload }, key, timestamp });
  }

  async #peopleIn({ context }: MessageContent): Promise<People> {
    const { lookUpOther } = this.#ports;
    return { ...(await readMentions(context, lookUpOther)), replyTo: await readQuoted(context, lookUpOther) };
  }

  async #emitReaction(base: Base, reaction: (Meaning & { kind: 'reaction' })['reaction']): Promise<void> {
    const { address, me } = base;
    const target = await resolveMessage(
      { ...reaction.target, remoteJid: base.message.key.remoteJid ?? reaction.target.remoteJid ?? null },
      me,
      this.#ports.lookUpOther,
    );
    if (!target) return;
    const { id, from, fromMe, to, participant, source } = toWaMessage({ ...base, content: undefined, media: null });
    const timestamp = reaction.timestamp ?? base.timestamp * 1000;
    const text = { text: reaction.text, messageId: formatMessageId({ ...target.key, chatId: address.key.chatId }) };
    base.emit({
      body: {
        event: 'message.reaction',
        payload: {
          id,
          timestamp: timestamp / 1000,
          from,
          fromMe,
          source,
          to,
          participant,
          reaction: text,
          _data: { lid: address.participant?.lid ?? address.chat.lid ?? null },
        },
      },
      key: address.eventKey,
      timestamp: base.timestamp * 1000,
    });
  }

  async #emitEdit(base: Base, edit: (Meaning & { kind: 'edit' })['edit'], content: MessageContent): Promise<void> {
    const message = { ...base.message, message: edit.message };
    const payload = {
      ...toWaMessage({ ...base, message, content, media: null, people: await this.#peopleIn(content) }),
      editedMessageId: edit.targetId,
    };
    // The server's time: the edit has one of its sender's choice.
    const key = base.address.eventKey;
    base.emit({ body: { event: 'message.edited', payload }, key, timestamp: base.timestamp * 1000 });
  }

  async #emitRevoke(base: Base, targetId: string): Promise<void> {
    const after = toWaMessage({ ...base, content: undefined, media: null });
    base.emit({
      body: {
        event: 'message.revoked',
        payload: { revokedMessageId: targetId, chatId: base.address.key.chatId, after, before: null },
      },
      key: base.address.eventKey,
      timestamp: base.timestamp * 1000,
    });
  }

  async #emitVote(base: Base, vote: Vote): Promise<void> {
    const { address, me, message } = base;
    const target = await this.#answered(base, vote.poll);
    if (!target) return;
    const options = await selectedOptions(vote, message.key, this.#ports);
    const timestamp = (vote.timestamp ?? base.timestamp * 1000) / 1000;
    const payload = {
      vote: { ...destinationOf(address, me), selectedOptions: [...(options ?? [])], timestamp },
      poll: destinationOf(target, me),
      _data: { lid: address.participant?.lid ?? address.chat.lid ?? null },
    };
    const event = options ? 'poll.vote' : 'poll.vote.failed';
    base.emit({ body: { event, payload }, key: address.eventKey, timestamp: base.timestamp * 1000 });
  }

  async #emitEventResponse(base: Base, response: SealedEventResponse): Promise<void> {
    const { address, me, message } = base;
    const event = await this.#answered(base, response.about);
    if (!event) return;
    const eventResponse = (await readEventResponse(response, message.key, this.#ports)) ?? null;
    const { id, timestamp, from, fromMe, source, to, participant } = toWaMessage({
      ...base,
      content: undefined,
      media: null,
    });
    const payload = {
      ...{ id, timestamp, from, fromMe, source, to, participant },
      eventCreationKey: destinationOf(event, me),
      eventResponse,
      _data: { lid: address.participant?.lid ?? address.chat.lid ?? null },
    };
    const name = eventResponse ? 'event.response' : 'event.response.failed';
    base.emit({ body: { event: name, payload }, key: address.eventKey, timestamp: base.timestamp * 1000 });
  }

  /** The message in the same chat that one is an answer to. */
  #answered({ message, me }: Base, about: proto.IMessageKey): Promise<AddressedMessage | undefined> {
    const { remoteJid, remoteJidAlt } = message.key;
    const key = { ...about, remoteJid: remoteJid ?? null, ...(remoteJidAlt && { remoteJidAlt }) };
    return resolveMessage(key, me, this.#ports.lookUpOther);
  }

  /** A message that could not be decrypted yet; the sender is asked to send it again. */
  async #emitWaiting(base: Base): Promise<void> {
    if (base.message.messageStubType !== proto.WebMessageInfo.StubType.CIPHERTEXT) return;
    const payload = toWaMessage({ ...base, content: undefined, media: null });
    base.emit({
      body: { event: 'message.waiting', payload },
      key: base.address.eventKey,
      timestamp: base.timestamp * 1000,
    });
  }
}

interface Base {
  readonly message: WAMessage;
  readonly address: AddressedMessage;
  readonly source: MessageSource;
  readonly me: ChatId;
  readonly timestamp: number;
  readonly emit: Emit;
}

export type Emit = (event: EngineEvent) => void;

/** What something tells of. What is neither of a chat nor of a message is the account's own, and in order among itself. */
export interface Subjects {
  /** Its chat's JID, or both where it came with both. */
  readonly chats?: readonly string[];
  /** The messages, as they are named on the wire. */
  readonly ids?: readonly string[];
}

function subjectsOf({ remoteJid, remoteJidAlt, id }: WAMessage['key']): Subjects {
  // Baileys takes an author's other address for the list's.
  const alternative = remoteJid?.endsWith('@broadcast') ? undefined : remoteJidAlt;
  return { chats: [remoteJid, alternative].filter((jid) => typeof jid === 'string'), ids: id ? [id] : [] };
}
