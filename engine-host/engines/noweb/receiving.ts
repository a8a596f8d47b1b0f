import type { EventEmitter } from 'node:events';
import { type BinaryNode, jidNormalizedUser, proto, type WAMessage, type WAMessageKey } from '@whiskeysockets/baileys';
import type { Logger } from 'pino';
import type { WaMedia } from '#shared/contracts/message.ts';
import { AccountSync } from './account-sync.ts';
import { Calls } from './calls.ts';
import { EarlyReceipts } from './early-receipts.ts';
import { groupChange } from './group-changes.ts';
import { type Happening, isComplete } from './happening.ts';
import { convert } from './happening-events.ts';
import type { Inbound } from './inbound.ts';
import { Inbox } from './inbox.ts';
import type { InboxShare } from './inbox-budget.ts';
import { presentAttrs } from './kept-node.ts';
import type { MarkedState } from './marked-state.ts';
import { type MessageSecret, MessageSecrets, secretInContent } from './message-secrets.ts';
import { packTraceparent } from './packed-traceparent.ts';
import { Proofs } from './proofs.ts';
import type { OwnAddresses } from './rebuild-message.ts';
import { ackOf, type ReceiptPorts, receiptIds } from './receipts.ts';
import type { SentMessage } from './sender.ts';
import { type ServerAcks, secondsOf } from './server-acks.ts';
import { StanzaIntake } from './stanza-intake.ts';
import { listenFirst } from './stanza-listeners.ts';

export interface ReceivingPorts {
  readonly state: MarkedState;
  readonly share: InboxShare;
  readonly inbound: Pick<Inbound, 'accept' | 'inOrder'>;
  readonly acks: Pick<ServerAcks, 'answered' | 'proven'>;
  readonly receipts: ReceiptPorts;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  now(): number;
  /** The account's own addresses; undefined before it is paired. */
  addresses(): OwnAddresses | undefined;
  /** Content of an earlier message, by its bare id. */
  contentOf(id: string): Promise<Uint8Array | undefined>;
  /** Whether the session does not want to hear of a chat. */
  ignores(jid: string): boolean;
  /** A group, or who is in it, is no longer as it was. */
  groupChanged(jid: string): void;
}

/**
 * Baileys works on what a message between own devices brings (keys, mappings) after it has acknowledged it, and says
 * nothing when it is done.
 */
const EFFECT_MS = 2_000;

/**
 * All that a session is told, from the stanza to the events: noted in the state before anything is acknowledged, made
 * into events from there, and forgotten when those are published. Lives as long as the engine, over all its sockets.
 */
export class Receiving {
  readonly intake: StanzaIntake;
  readonly proofs: Proofs;
  readonly #secrets: MessageSecrets;
  readonly #account: AccountSync;
  readonly #ports: ReceivingPorts;
  readonly #inbox: Inbox;
  readonly #calls: Calls;
  readonly #effects = new Set<NodeJS.Timeout>();
  /** Ends the connection without another word to WhatsApp. */
  #breakOff: () => void = () => {};
  /** So much waits for the bus that no more is received until half of it is gone. */
  #held = false;
  /** The stanza at hand asks for a message of ours again. */
  #isRetry = false;
  readonly #early = new EarlyReceipts();
  /** What an earlier run, or connection, may not have had the time to take effect. */
  #leftEffects: readonly (readonly [number, Happening])[] = [];

  constructor(ports: ReceivingPorts) {
    this.#ports = ports;
    this.#inbox = new Inbox(ports.state, (number, happening) => this.#deliver(number, happening), ports.share);
    this.#calls = new Calls(ports.state);
    this.#secrets = new MessageSecrets(ports.state);
    this.#account = new AccountSync(ports.state);
    this.intake = new StanzaIntake(this.#inbox, this.#secrets);
    this.proofs = new Proofs(ports.state);
  }

  /** Whether there is room for what a connection brings. WhatsApp keeps what it cannot deliver. */
  hasRoom(): boolean {
    const { share, logger } = this.#ports;
    if (!this.#held) return !share.isFull;
    if (!share.hasRoom) return false;
    this.#held = false;
    logger.info('the bus has taken enough: receiving goes on');
    return true;
  }

  /**
   * Listens on a new socket, ahead of Baileys. Nothing of the one before it is reported or takes effect any more.
   * @param broken called when something was not kept
   */
  listen({ ws }: { readonly ws: EventEmitter }, broken: () => void): void {
    this.#breakOff = broken;
    this.intake.startOver();
    this.#forgetEffects();
    this.#leftEffects = this.#inbox.waiting;
    const failed = (error: unknown): void => {
      this.#ports.logger.error({ err: error }, 'a stanza could not be kept');
      broken();
    };
    const unlessHeld = (take: (stanza: BinaryNode) => void) => (stanza: BinaryNode) => {
      this.#isRetry = stanza.tag === 'receipt' && stanza.attrs.type === 'retry';
      if (!this.#held) take(stanza);
    };
    const message = unlessHeld((stanza) => this.#onMessage(stanza));
    const receipt = unlessHeld((stanza) => this.#onReceipt(stanza));
    const notification = unlessHeld((stanza) => this.#onNotification(stanza));
    const call = unlessHeld((stanza) => this.#onCall(stanza));
    const answer = (stanza: BinaryNode) => this.#onAnswer(stanza);
    listenFirst(ws, { message, receipt, notification, call, answer }, failed);
  }

  /**
   * Whether Baileys is to acknowledge the stanza at hand without looking at it. What is sent to an ignored chat has to
   * be readable there all the same, so whoever asks for it again is heard.
   */
  passesOver(jid: string): boolean {
    return !this.#isRetry && this.#ports.ignores(jid);
  }

  /** Makes the events that an earlier run could not get rid of. */
  replay(): void {
    this.#inbox.replay();
  }

  /** Lets Baileys do again what an earlier run or connection may not have finished. Call once the connection is open. */
  resume({ ws }: { readonly ws: EventEmitter }): void {
    const left = this.#leftEffects;
    this.#leftEffects = [];
    for (const [number, happening] of left) {
      // What has parts to come was never acknowledged, and comes again as a whole.
      if (happening.kind === 'message' && happening.internal && isComplete(happening)) {
        ws.emit('CB:message', this.intake.restored(number, happening));
      }
    }
  }

  /** What Baileys reports as a message, at once when it does. Most of it is in the inbox already. */
  reported(message: WAMessage): void {
    const arrived = this.intake.reported(message.key.id ?? '');
    if (!arrived) {
      // In the clear, so no stanza of a message: from a channel, or what the phone had to be asked for.
      if (!message.message) return;
      const content = proto.WebMessageInfo.encode(proto.WebMessageInfo.fromObject(message)).finish();
      this.#inbox.note({ kind: 'report', content }, this.#secrets.keep(message.key.id ?? '', message.message, []));
      return;
    }
    const { number } = arrived;
    if (number !== undefined && this.#inbox.isInternal(number)) this.#clearAfterEffect(number);
  }

  /** What the owner has changed on the phone, as Baileys tells of it. */
  synced(tell: (account: AccountSync) => ReturnType<AccountSync['archive']>): void {
    const noted = tell(this.#account);
    if (!noted) return;
    const { change, alongside } = noted;
    if ('chat' in change && this.#ports.ignores(change.chat)) return;
    this.#inbox.note({ kind: 'account', at: this.#ports.now(), change }, alongside);
  }

  /** The server has a message of ours. Resolves when that, and its event, would survive the host. */
  async sent({ id, jid, timestamp, content, traceparent }: SentMessage): Promise<void> {
    const { state } = this.#ports;
    if (!this.proofs.isTold(id)) {
      const secret = this.#secrets.keep(id, proto.Message.decode(content), []);
      const sent = {
        kind: 'sent',
        id,
        jid,
        timestamp,
        content,
        ...(traceparent !== undefined && { traceparent: packTraceparent(traceparent) }),
      } as const;
      this.#inbox.note(sent, [...this.proofs.told(id, timestamp, traceparent), ...secret], this.#early.take(id));
    }
    await state.durable(state.needed);
  }

  /** Media of an earlier message is in the bucket. Resolves when that, and its event, would survive the host. */
  async mediaStored({ remoteJid, id, fromMe, participant }: WAMessageKey, media: WaMedia): Promise<void> {
    const { state, now } = this.#ports;
    const message = {
      chat: remoteJid ?? '',
      id: id ?? '',
      fromMe: fromMe === true,
      ...(participant && { participant }),
    };
    this.#inbox.note({ kind: 'media', at: now(), ...message, media });
    await state.durable(state.needed);
  }

  /** The secret of a message of this account or in one of its chats; an old one from where its content is kept. */
  async findSecret(id: string): Promise<MessageSecret | undefined> {
    const kept = this.#secrets.find(id);
    if (kept) return kept;
    const content = await this.#ports.contentOf(id);
    return content && secretInContent(content);
  }

  stop(): void {
    this.#forgetEffects();
    this.#early.stop();
    this.#ports.share.close();
  }

  #onMessage(stanza: BinaryNode): void {
    if (!this.#ports.ignores(stanza.attrs.from ?? '')) this.intake.arrived(stanza);
  }

  #onReceipt(stanza: BinaryNode): void {
    const { acks, addresses, ignores } = this.#ports;
    const ids = receiptIds(stanza);
    const seconds = secondsOf(stanza.attrs.t);
    for (const id of ids) {
      this.proofs.receipt(id, seconds);
      acks.proven(id, seconds);
    }
    const me = addresses();
    const { from = '', participant, recipient, type } = stanza.attrs;
    if (!me || ackOf(stanza.attrs, me) === undefined || ignores(from)) return;
    const attrs = presentAttrs({ from, participant, recipient, type, t: String(seconds) });
    // Each message that is still to be told of holds up its own acks only.
    const awaited = ids.filter((id) => this.proofs.isAwaited(id));
    const others = ids.filter((id) => !awaited.includes(id));
    for (const each of [others, ...awaited.map((id) => [id])]) {
      const traceparents = this.#traceparentsOf(each);
      if (each.length > 0)
        this.#inbox.note({ kind: 'receipt', attrs, ids: each, ...(traceparents && { traceparents }) });
    }
  }

  /** Of the jobs that have sent the messages, as far as they are known. */
  #traceparentsOf(ids: readonly string[]): (Uint8Array | null)[] | undefined {
    const known = ids.map((id) => this.proofs.traceparentOf(id));
    if (known.every((traceparent) => traceparent === undefined)) return undefined;
    return known.map((traceparent) => (traceparent === undefined ? null : packTraceparent(traceparent)));
  }

  /** Other kinds of notifications make no events; Baileys acknowledges them when it has done what they ask for. */
  #onNotification(stanza: BinaryNode): void {
    const { type, from = '' } = stanza.attrs;
    if (type !== 'w:gp2') return;
    this.#ports.groupChanged(jidNormalizedUser(from));
    if (this.#ports.ignores(from)) return;
    const change = groupChange(stanza);
    if (change) this.#inbox.note(change);
  }

  #onCall(stanza: BinaryNode): void {
    if (this.#ports.ignores(stanza.attrs.from ?? '')) return;
    const taken = this.#calls.take(stanza);
    if (taken) this.#inbox.note(taken.step, taken.alongside);
  }

  #onAnswer(stanza: BinaryNode): void {
    const { id, error, t } = stanza.attrs;
    if (id !== undefined && !error) this.proofs.receipt(id, secondsOf(t));
    this.#ports.acks.answered(stanza);
  }

  #deliver(number: number, happening: Happening): void {
    const me = this.#ports.addresses();
    if (this.#ports.share.isFull) this.#hold();
    if (!me) return;
    const awaited = happening.kind === 'receipt' && happening.ids.find((id) => this.proofs.isAwaited(id));
    if (awaited) this.#early.hold(awaited, number, () => this.#tell(number, happening, me));
    else this.#tell(number, happening, me);
  }

  #tell(number: number, happening: Happening, me: OwnAddresses): void {
    const setAside = (error?: unknown) => {
      if (error !== undefined) this.#ports.logger.error({ err: error }, 'a happening could not be read');
      this.#inbox.setAside(number);
    };
    convert(happening, me, this.#ports, () => this.#inbox.clear(number)).then((converted) => {
      if (!converted) setAside();
    }, setAside);
  }

  /** What has come is kept; its ack may be among what does not leave any more, then it comes again and is known. */
  #hold(): void {
    if (!this.#held) this.#ports.logger.warn('too much waits for the bus: nothing more is received');
    this.#held = true;
    this.#breakOff();
  }

  #forgetEffects(): void {
    for (const timer of this.#effects) clearTimeout(timer);
    this.#effects.clear();
  }

  #clearAfterEffect(number: number): void {
    const timer = setTimeout(() => {
      this.#effects.delete(timer);
      this.#inbox.clear(number);
    }, EFFECT_MS);
    this.#effects.add(timer);
  }
}
