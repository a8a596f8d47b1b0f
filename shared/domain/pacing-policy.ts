import { DAY, HOUR, MINUTE, type PacingRules, type Range, WARM_UP } from './pacing-profiles.ts';
import { type ChatPace, findChat, type PacingState, type Restriction, type Slice, withChat } from './pacing-state.ts';
import { counted, roomAt, type Window } from './pacing-window.ts';
import { afterQuietHours } from './quiet-hours.ts';

/** A send as pacing sees it. */
export interface PacedSend {
  /** Short hash of the chat's id. */
  readonly chat: string;
  /** `own`: the account's chat with itself. Everything that is neither that nor a person counts as a group. */
  readonly kind: 'direct' | 'group' | 'own';
  /** Short hash of the normalised content; undefined where nothing can be compared. */
  readonly content?: string;
  /** Of a text, in characters; 0 for everything else. */
  readonly textLength: number;
}

/** What a send waits for. */
export const WAIT_REASONS = [
  'gap',
  'chat-gap',
  'hour-cap',
  'day-cap',
  'same-content',
  'new-conversations',
  'restricted',
  'quiet-hours',
] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

export interface Turn {
  /** Milliseconds since 1970, never before the time of the question. */
  readonly dueAt: number;
  /** Undefined when it may leave now. */
  readonly reason: WaitReason | undefined;
}

const HOUR_WINDOW: Window = { length: HOUR, slice: 5 * MINUTE };
const DAY_WINDOW: Window = { length: DAY, slice: HOUR };
/** A cap counts quarters of a send, because a reply is one quarter. */
const UNITS = 4;
const REPLY_UNITS = 1;
/** The same text to so many people within an hour is beyond every cap that can be set. */
const CONTENTS_KEPT = 600;
const FIRST_PAUSE = DAY;
const NEXT_PAUSE = 2 * DAY;
const STRIKES_FORGOTTEN = 30 * DAY;
/** After the night nobody starts on the dot. */
const MORNING_SPREAD = 5 * MINUTE;
const TYPING_PER_CHARACTER = 40;
const TYPING: Range = { min: 1_000, max: 8_000 };
const TYPING_JITTER = 0.3;

/** When the send may leave, as things stand. Asking changes nothing and gives the same answer until something happens. */
export function turnOf(rules: PacingRules | null, state: PacingState, send: PacedSend, now: number): Turn {
  if (rules === null) return { dueAt: now, reason: undefined };
  const facts = factsOf(state, send, now);
  let turn: Turn = { dueAt: now, reason: undefined };
  for (const [reason, dueAt] of limits(rules, state, send, facts, now)) {
    if (dueAt > turn.dueAt) turn = { dueAt, reason };
  }
  return facts.isReply ? turn : afterNight(rules, state, turn);
}

/** The state after the send has left at `at`. @param random gives numbers of 0 … 1 */
export function afterSend(
  rules: PacingRules,
  state: PacingState,
  send: PacedSend,
  at: number,
  random: () => number,
): PacingState {
  const facts = factsOf(state, send, at);
  const units = facts.isReply ? REPLY_UNITS : UNITS;
  const opened = facts.isOpening ? 1 : 0;
  const recent = state.contents.filter((one) => one.at + HOUR > at);
  const content =
    send.content === undefined || facts.isReply ? [] : [{ content: send.content, chat: send.chat, at } as const];
  return {
    ...state,
    sentAt: Math.max(at, state.sentAt ?? at),
    draw: random(),
    lastHour: counted(state.lastHour, HOUR_WINDOW, at, units, opened),
    lastDay: counted(state.lastDay, DAY_WINDOW, at, units, opened),
    contents: [...recent, ...content].slice(-CONTENTS_KEPT),
    chats: withChat(state.chats, {
      ...facts.known,
      chat: send.chat,
      sentAt: at,
      freeAt: freeAt(rules, send, facts, at, random),
    }),
  };
}

/** The state after a chat has written. */
export function afterInbound(state: PacingState, chat: string, at: number): PacingState {
  const known = findChat(state.chats, chat);
  const heardAt = Math.max(at, known?.heardAt ?? at);
  return { ...state, chats: withChat(state.chats, { ...known, chat, heardAt }) };
}

/** The state after a reason to write to no strangers for a while. What comes during a pause belongs to it. */
export function afterRefusal(state: PacingState, at: number, cause: Restriction['cause'] = 'refused'): PacingState {
  const { restriction } = state;
  if (restriction !== null && restriction.until > at) return state;
  const isAgain = restriction !== null && restriction.at + STRIKES_FORGOTTEN > at;
  const strikes = isAgain ? restriction.strikes + 1 : 1;
  const until = at + (strikes > 1 ? NEXT_PAUSE : FIRST_PAUSE);
  return { ...state, restriction: { cause, strikes, at, until, endTold: false } };
}

/** The state after everybody was told that the pause until `until` is over. */
export function afterEndTold(state: PacingState, until: number): PacingState {
  const { restriction } = state;
  if (restriction === null || restriction.until !== until || restriction.endTold) return state;
  return { ...state, restriction: { ...restriction, endTold: true } };
}

/** Before this time no ordinary send leaves. */
export function nextSendAt(rules: PacingRules, { sentAt, draw }: PacingState): number {
  return sentAt === null ? 0 : sentAt + within(rules.gap, draw);
}

/** How long "typing…" is shown before the send, in milliseconds. */
export function typingTime(rules: PacingRules | null, { textLength }: PacedSend, random: () => number): number {
  if (rules === null || !rules.typing || textLength === 0) return 0;
  const time = Math.min(TYPING.max, Math.max(TYPING.min, textLength * TYPING_PER_CHARACTER));
  return Math.min(TYPING.max, Math.round(time * (1 - TYPING_JITTER + 2 * TYPING_JITTER * random())));
}

/** True when the send opens a conversation, or goes on with one that was never answered while that is not allowed. */
export function isForStranger(state: PacingState, send: PacedSend, now: number): boolean {
  return factsOf(state, send, now).isStranger;
}

interface Facts {
  readonly known: ChatPace | undefined;
  readonly isReply: boolean;
  /** A person who has never written. */
  readonly isStranger: boolean;
  /** To a stranger who got nothing in the last 24 hours. */
  readonly isOpening: boolean;
}

function factsOf(state: PacingState, { chat, kind }: PacedSend, now: number): Facts {
  const known = findChat(state.chats, chat);
  const isStranger = kind === 'direct' && known?.heardAt === undefined;
  return {
    known,
    isReply: kind === 'own' || (kind === 'direct' && known?.heardAt !== undefined && known.heardAt + DAY > now),
    isStranger,
    isOpening: isStranger && (known?.sentAt === undefined || known.sentAt + DAY <= now),
  };
}

function* limits(
  rules: PacingRules,
  state: PacingState,
  send: PacedSend,
  facts: Facts,
  now: number,
): Generator<readonly [WaitReason, number]> {
  const { isReply, isStranger, isOpening, known } = facts;
  if (state.sentAt !== null) yield ['gap', state.sentAt + within(isReply ? rules.replyGap : rules.gap, state.draw)];
  const caps = capsOf(rules, state, now);
  const sends = { of: (slice: Slice) => slice.units, cost: isReply ? REPLY_UNITS : UNITS };
  yield ['hour-cap', roomAt(state.lastHour, HOUR_WINDOW, now, { ...sends, cap: caps.perHour * UNITS })];
  yield ['day-cap', roomAt(state.lastDay, DAY_WINDOW, now, { ...sends, cap: caps.perDay * UNITS })];
  if (isReply) return;
  if (known?.freeAt !== undefined) {
    const ahead = send.kind === 'group' ? 0 : (rules.chatBurst - 1) * rules.chatGap;
    yield ['chat-gap', known.freeAt - ahead];
  }
  if (send.content !== undefined) {
    yield ['same-content', contentRoomAt(state, send.content, send.chat, now, rules.sameContentPerHour)];
  }
  if (isOpening) {
    const opened = { of: (slice: Slice) => slice.opened, cost: 1, cap: caps.newConversationsPerDay };
    yield ['new-conversations', roomAt(state.lastDay, DAY_WINDOW, now, opened)];
  }
  if (isStranger && state.restriction !== null) yield ['restricted', state.restriction.until];
}

/** Caps as they are at the moment: lower for a young account, and half during a pause. */
function capsOf(rules: PacingRules, { pairedAt, restriction }: PacingState, now: number) {
  const young = rules.warmUp ? WARM_UP.find(({ days }) => now < pairedAt + days * DAY) : undefined;
  const isRestricted = restriction !== null && restriction.until > now;
  const lowered = (cap: number) => (isRestricted && cap > 1 ? Math.floor(cap / 2) : cap);
  return {
    perHour: lowered(Math.min(rules.perHour, young?.perHour ?? Number.POSITIVE_INFINITY)),
    perDay: lowered(Math.min(rules.perDay, young?.perDay ?? Number.POSITIVE_INFINITY)),
    newConversationsPerDay: lowered(rules.newConversationsPerDay),
  };
}

/** When the content has few enough other recipients within an hour. */
function contentRoomAt({ contents }: PacingState, content: string, chat: string, now: number, cap: number): number {
  const last = new Map<string, number>();
  for (const one of contents) if (one.content === content && one.at + HOUR > now) last.set(one.chat, one.at);
  if (last.has(chat) || last.size < cap) return now;
  const times = [...last.values()].sort((a, b) => a - b);
  return (times[times.length - cap] ?? now) + HOUR;
}

function freeAt(rules: PacingRules, { kind }: PacedSend, facts: Facts, at: number, random: () => number): number {
  const paid = Math.max(at, facts.known?.freeAt ?? at);
  if (kind === 'group') return at + rules.groupGap;
  if (facts.isReply) return paid;
  if (facts.isStranger && facts.known?.sentAt === undefined) return at + within(rules.firstContactGap, random());
  return paid + rules.chatGap;
}

function afterNight({ quietHours, timezone }: PacingRules, { draw }: PacingState, turn: Turn): Turn {
  if (quietHours === null || timezone === null) return turn;
  const morning = afterQuietHours(turn.dueAt, quietHours, timezone);
  if (morning === turn.dueAt) return turn;
  return { dueAt: morning + Math.floor(draw * MORNING_SPREAD), reason: 'quiet-hours' };
}

function within({ min, max }: Range, draw: number): number {
  return Math.round(min + (max - min) * draw);
}
