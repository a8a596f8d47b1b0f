import type { SendCommand } from '#shared/contracts/commands.ts';
import type { Me } from '#shared/contracts/session.ts';
import { ACKS } from '#shared/domain/message-ack.ts';
import { bareMessageId } from '#shared/domain/message-id.ts';
import { tooFewDelivered, type WatchedSend, withDelivered, withSent } from '#shared/domain/pacing-deliveries.ts';
import {
  afterEndTold,
  afterInbound,
  afterRefusal,
  afterSend,
  isForStranger,
  nextSendAt,
  type PacedSend,
  turnOf,
  typingTime,
  type WaitReason,
} from '#shared/domain/pacing-policy.ts';
import { MINUTE, type PacingRules } from '#shared/domain/pacing-profiles.ts';
import { findChat, freshPacingState, type PacingState, type Restriction } from '#shared/domain/pacing-state.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { EngineEvent, SessionState } from '../engines/engine.ts';
import { isDirectChat, pacedSend, shortHash } from './paced-send.ts';
import { type AccountPacing, pacingChanges, readPacing } from './stored-pacing.ts';

export interface SessionPacerOptions {
  readonly state: Pick<SessionState, 'get' | 'append'>;
  readonly clock: Pick<Clock, 'now'>;
  /** Numbers of 0 … 1. */
  readonly random: () => number;
  /** As they are now; null: no pacing. */
  readonly rules: () => PacingRules | null;
  readonly me: () => Pick<Me, 'id' | 'lid'> | null;
  /** When the session was created: about then its first account was paired. */
  readonly createdAt: number;
  /** What the session's row says. It is later than what the state says when a change of the state was lost. */
  readonly nextSendAt: number | undefined;
  /** Writes it into the session's row. */
  readonly report: (nextSendAt: number) => void;
  /** Told of a pause that begins because too few messages are delivered. */
  readonly braked: (pause: Restriction, found: { readonly delivered: number; readonly sends: number }) => void;
}

/** A send's turn. */
export type SendTurn =
  | {
      readonly kind: 'now';
      /** How long to show "typing…" first, in milliseconds. */
      readonly typingMs: number;
      /** Counts the send. Called once, when it is certain to leave. */
      readonly leave: () => void;
    }
  | {
      readonly kind: 'later';
      readonly dueAt: number;
      readonly reason: WaitReason;
      /** It should wait apart, because the session's other sends need not wait for it. */
      readonly park: boolean;
    };

/** A chat that goes on writing is noted only so often. */
const HEARD_GRAIN = 10 * MINUTE;
/** A send to a stranger that waits longer than this does so apart. */
const LONG_WAIT = MINUTE;
/** While parked sends are under way, the next of them is looked at within this time. */
const PARKED_GRACE = 2 * MINUTE;

/** Applies a session's pacing rules to its sends and keeps, in the session's state, what they need to know. */
export class SessionPacer {
  readonly #options: SessionPacerOptions;
  readonly #floor: number;
  #current: AccountPacing | undefined;
  #rules: string;
  /** Chats of the sends that wait at the head of a lane: of the parked one (true), of the other. */
  readonly #waiting = new Map<boolean, string>();
  #watched: readonly WatchedSend[] = [];
  readonly #sooner = new Set<() => void>();

  constructor(options: SessionPacerOptions) {
    this.#options = options;
    this.#current = readPacing(options.state);
    this.#floor = options.nextSendAt ?? 0;
    this.#rules = JSON.stringify(options.rules());
  }

  /**
   * When the send may leave; undefined for what is never held back.
   * @param parked it waits apart already
   */
  turn(command: SendCommand, parked: boolean): SendTurn | undefined {
    const { clock, random } = this.#options;
    const rules = this.#options.rules();
    const me = this.#options.me();
    if (rules === null || me === null) return undefined;
    const known = this.#account(me);
    const send = pacedSend(command, [me.id, me.lid]);
    if (send === undefined) return undefined;
    const now = clock.now();
    const later = this.#wait(rules, known, send, now, parked);
    if (later !== undefined) {
      this.#waiting.set(parked || later.park, send.chat);
      return later;
    }
    this.#waiting.delete(parked);
    return { kind: 'now', typingMs: typingTime(rules, send, random), leave: () => this.#left(rules, me, send) };
  }

  /** Calls back, once, when a send that waits may be due earlier than it was told. @returns takes the wish back */
  onceSooner(callback: () => void): () => void {
    this.#sooner.add(callback);
    return () => this.#sooner.delete(callback);
  }

  /** Has sends that wait ask again: one of them may have been cancelled, say. */
  lookAgain(): void {
    const callbacks = [...this.#sooner];
    this.#sooner.clear();
    for (const callback of callbacks) callback();
  }

  /** The session's configuration may have changed. */
  rulesChanged(): void {
    const rules = JSON.stringify(this.#options.rules());
    if (rules === this.#rules) return;
    this.#rules = rules;
    this.lookAgain();
  }

  /** Notes who has written, and what becomes of what was sent. */
  heard(event: EngineEvent): void {
    const me = this.#options.me();
    const rules = this.#options.rules();
    if (me === null || rules === null) return;
    if (rules.deliveryBrake) this.#watchDeliveries(me, event);
    const { body, timestamp } = event;
    if (body.event !== 'message' || body.payload.fromMe) return;
    const { from, _data } = body.payload;
    const lid = _data?.lid;
    if (!isDirectChat(from)) return;
    for (const id of new Set([from, typeof lid === 'string' ? lid : from])) {
      this.#heardFrom(me, shortHash(id), timestamp);
    }
  }

  /** WhatsApp has refused a message to a stranger. @returns the pause that begins now; undefined when one is on */
  refused(): Restriction | undefined {
    return this.#pause('refused');
  }

  /** The last pause, over or not, until `endTold`. */
  get untoldPause(): Restriction | undefined {
    const me = this.#options.me();
    const restriction = me === null ? null : this.#account(me).pacing.restriction;
    return restriction === null || restriction.endTold ? undefined : restriction;
  }

  /** Everybody knows that the pause is over. */
  endTold({ until }: Restriction): void {
    if (this.#current === undefined) return;
    const { account, pacing } = this.#current;
    const told = afterEndTold(pacing, until);
    if (told !== pacing) this.#keep(account, told);
  }

  #wait(
    rules: PacingRules,
    known: AccountPacing,
    send: PacedSend,
    now: number,
    parked: boolean,
  ): Extract<SendTurn, { kind: 'later' }> | undefined {
    const { pacing } = known;
    const { dueAt, reason } = turnOf(rules, pacing, send, now);
    const isStranger = isForStranger(pacing, send, now);
    if (!parked && isStranger && pacing.parkedUntil > now) {
      return { kind: 'later', dueAt, reason: reason ?? 'new-conversations', park: true };
    }
    if (reason !== undefined) {
      const isApart = isStranger && dueAt - now > LONG_WAIT;
      if (isApart || parked) this.#park(known, dueAt);
      return { kind: 'later', dueAt, reason, park: isApart && !parked };
    }
    if (this.#floor > now && (pacing.sentAt ?? 0) < this.#floor) {
      return { kind: 'later', dueAt: this.#floor, reason: 'gap', park: false };
    }
    if (parked) this.#park(known, now);
    return undefined;
  }

  /** Later sends to strangers line up behind those that wait apart. */
  #park({ account, pacing }: AccountPacing, dueAt: number): void {
    const parkedUntil = dueAt + PARKED_GRACE;
    if (pacing.parkedUntil < parkedUntil) this.#keep(account, { ...pacing, parkedUntil });
  }

  #left(rules: PacingRules, me: Pick<Me, 'id'>, send: PacedSend): void {
    const known = this.#account(me);
    const pacing = afterSend(rules, known.pacing, send, this.#options.clock.now(), this.#options.random);
    this.#keep(known.account, pacing);
    this.#options.report(nextSendAt(rules, pacing));
  }

  #pause(cause: Restriction['cause']): Restriction | undefined {
    const me = this.#options.me();
    if (me === null) return undefined;
    const known = this.#account(me);
    const pacing = afterRefusal(known.pacing, this.#options.clock.now(), cause);
    if (pacing === known.pacing || pacing.restriction === null) return undefined;
    this.#keep(known.account, pacing);
    return pacing.restriction;
  }

  /** Only in memory: a new owner judges what it has seen itself, the pause that follows is the next one's too. */
  #watchDeliveries(me: Pick<Me, 'id' | 'lid'>, { body }: EngineEvent): void {
    const now = this.#options.clock.now();
    if (body.event === 'message.ack' && body.payload.ack >= ACKS.DEVICE) {
      const id = bareMessageId(body.payload.id);
      if (id !== undefined) this.#watched = withDelivered(this.#watched, id, now);
    }
    if (body.event !== 'message.any' || body.payload.source !== 'api') return;
    const { to } = body.payload;
    const id = bareMessageId(body.payload.id);
    if (id === undefined || !isDirectChat(to) || to === me.id || to === me.lid) return;
    this.#watched = withSent(this.#watched, id, now);
    const found = tooFewDelivered(this.#watched, now);
    const pause = found && this.#pause('undelivered');
    if (found === undefined || pause === undefined) return;
    this.#watched = [];
    this.#options.braked(pause, found);
  }

  #heardFrom(me: Pick<Me, 'id'>, chat: string, at: number): void {
    const known = this.#account(me);
    const heardAt = findChat(known.pacing.chats, chat)?.heardAt;
    if (heardAt !== undefined && at - heardAt < HEARD_GRAIN) return;
    this.#keep(known.account, afterInbound(known.pacing, chat, at));
    if ([...this.#waiting.values()].includes(chat)) this.lookAgain();
  }

  /** What is known of the account that is paired now. */
  #account({ id }: Pick<Me, 'id'>): AccountPacing {
    const account = shortHash(id);
    if (this.#current?.account === account) return this.#current;
    const { clock, createdAt } = this.#options;
    return { account, pacing: freshPacingState(this.#current === undefined ? createdAt : clock.now()) };
  }

  #keep(account: string, pacing: PacingState): void {
    const next = { account, pacing };
    this.#options.state.append(pacingChanges(this.#current, next));
    this.#current = next;
  }
}
