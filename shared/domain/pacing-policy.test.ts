import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterInbound,
  afterRefusal,
  afterSend,
  nextSendAt,
  type PacedSend,
  turnOf,
  typingTime,
} from './pacing-policy.ts';
import { DAY, HOUR, MINUTE, type PacingRules, PROFILE_RULES } from './pacing-profiles.ts';
import { pacingRules } from './pacing-rules.ts';
import { CHAT_SLOTS, CHATS_PER_SLOT, freshPacingState, type PacingState } from './pacing-state.ts';

const START = Date.UTC(2026, 5, 1, 12);
const SAFE: PacingRules = { ...PROFILE_RULES.safe, warmUp: false };
const send = (chat: string, changes: Partial<PacedSend> = {}): PacedSend => ({
  chat,
  kind: 'direct',
  textLength: 20,
  ...changes,
});
const heard = (state: PacingState, ...chats: string[]) =>
  chats.reduce((now, chat) => afterInbound(now, chat, START), state);
const old = (): PacingState => freshPacingState(START - 60 * DAY);
const half = () => 0.5;

/** A source of numbers that repeats itself for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Happening {
  readonly afterMs: number;
  readonly kind: 'send' | 'inbound' | 'refusal';
  readonly send: PacedSend;
}

interface Left {
  readonly at: number;
  readonly send: PacedSend;
  readonly isReply: boolean;
  readonly isOpening: boolean;
  readonly number: number;
  readonly chatGap: number;
}

/** Runs a schedule through the policy as a session's lane does: one send at a time, asked again when it is due. */
function run(rules: PacingRules | null, schedule: readonly Happening[], random: () => number) {
  let state = old();
  let clock = START;
  let free = START;
  const left: Left[] = [];
  const states: PacingState[] = [];
  const turns: number[] = [];
  for (const [number, { afterMs, kind, send: next }] of schedule.entries()) {
    clock += afterMs;
    let at = Math.max(clock, free);
    if (kind === 'inbound') state = afterInbound(state, next.chat, at);
    if (kind === 'refusal') state = afterRefusal(state, at);
    if (kind !== 'send') continue;
    for (let asks = 0; ; asks += 1) {
      expect(asks).toBeLessThan(100);
      const { dueAt } = turnOf(rules, state, next, at);
      expect(Number.isFinite(dueAt)).toBe(true);
      expect(dueAt).toBeGreaterThanOrEqual(at);
      turns.push(dueAt);
      if (dueAt === at) break;
      at = dueAt;
    }
    const known = state.chats.flat().find(({ chat }) => chat === next.chat);
    const isReply = next.kind === 'direct' && known?.heardAt !== undefined && known.heardAt + DAY > at;
    const isOpening =
      next.kind === 'direct' &&
      known?.heardAt === undefined &&
      (known?.sentAt === undefined || known.sentAt + DAY <= at);
    left.push({ at, send: next, isReply, isOpening, number, chatGap: rules?.chatGap ?? 0 });
    if (rules !== null) state = afterSend(rules, state, next, at, random);
    states.push(state);
    free = at;
  }
  return { left, states, turns };
}

const happenings = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 2 * HOUR })),
    kind: fc.oneof(
      { weight: 8, arbitrary: fc.constant('send' as const) },
      { weight: 2, arbitrary: fc.constant('inbound' as const) },
    ),
    send: fc
      .record({ chat: fc.integer({ min: 0, max: 40 }), isGroup: fc.boolean(), content: fc.integer({ min: 0, max: 3 }) })
      .map(({ chat, isGroup, content }) =>
        send(`${isGroup ? 'g' : 'd'}${chat}`, { kind: isGroup ? 'group' : 'direct', content: `c${content}` }),
      ),
  }),
  { minLength: 1, maxLength: 250 },
);
const rulesOf = fc
  .record({
    profile: fc.constantFrom('safe', 'warm', 'trusted'),
    perHour: fc.integer({ min: 1, max: 30 }),
    perDay: fc.integer({ min: 1, max: 60 }),
    opening: fc.integer({ min: 1, max: 8 }),
    same: fc.integer({ min: 1, max: 5 }),
  })
  .map(
    ({ profile, perHour, perDay, opening, same }): PacingRules => ({
      ...PROFILE_RULES[profile as 'safe'],
      warmUp: false,
      perHour,
      perDay,
      newConversationsPerDay: opening,
      sameContentPerHour: same,
    }),
  );
const worlds = fc.record({ rules: rulesOf, schedule: happenings, seed: fc.integer() });
const check = (property: (left: readonly Left[], rules: PacingRules) => void) =>
  fc.assert(
    fc.property(worlds, ({ rules, schedule, seed }) => property(run(rules, schedule, seeded(seed)).left, rules)),
    { numRuns: 60 },
  );

describe('pacing policy, whatever the schedule', () => {
  it('keeps the gap between any two sends', () => {
    check((left, rules) => {
      for (const [index, { at, isReply }] of left.entries()) {
        const before = left[index - 1];
        const least = isReply ? rules.replyGap.min : rules.gap.min;
        if (before !== undefined) expect(at - before.at).toBeGreaterThanOrEqual(least);
      }
    });
  });

  it('keeps the gap within a chat, of a burst on the average', () => {
    check((left, rules) => {
      for (const chat of new Set(left.map((one) => one.send.chat))) {
        const sends = left.filter((one) => one.send.chat === chat && !one.isReply);
        const isGroup = chat.startsWith('g');
        const burst = isGroup ? 1 : rules.chatBurst;
        const gap = isGroup ? rules.groupGap : rules.chatGap;
        for (const [index, { at }] of sends.entries()) {
          const before = sends[index - burst];
          if (before !== undefined) expect(at - before.at).toBeGreaterThanOrEqual(gap);
        }
      }
    });
  });

  it('keeps the caps in every sliding window', () => {
    check((left, rules) => {
      const sum = (from: number, to: number, of: (one: Left) => number) =>
        left.filter(({ at }) => at > from && at <= to).reduce((all, one) => all + of(one), 0);
      for (const { at } of left) {
        expect(sum(at - HOUR, at, (one) => (one.isReply ? 0.25 : 1))).toBeLessThanOrEqual(rules.perHour);
        expect(sum(at - DAY, at, (one) => (one.isReply ? 0.25 : 1))).toBeLessThanOrEqual(rules.perDay);
        expect(sum(at - DAY, at, (one) => (one.isOpening ? 1 : 0))).toBeLessThanOrEqual(rules.newConversationsPerDay);
        for (const content of ['c0', 'c1', 'c2', 'c3']) {
          const recent = left.filter(
            (one) => one.at > at - HOUR && one.at <= at && one.send.content === content && !one.isReply,
          );
          expect(new Set(recent.map((one) => one.send.chat)).size).toBeLessThanOrEqual(rules.sameContentPerHour);
        }
      }
    });
  });

  it('lets every send leave, in order', () => {
    fc.assert(
      fc.property(worlds, ({ rules, schedule, seed }) => {
        const { left } = run(rules, schedule, seeded(seed));
        expect(left).toHaveLength(schedule.filter(({ kind }) => kind === 'send').length);
        expect(left.map(({ number }) => number)).toEqual([...left.map(({ number }) => number)].sort((a, b) => a - b));
        for (const [index, { at }] of left.entries()) {
          expect(at).toBeGreaterThanOrEqual(left[index - 1]?.at ?? 0);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same answer for the same random numbers, and never an earlier one for a later question', () => {
    fc.assert(
      fc.property(worlds, fc.integer({ min: 0, max: DAY }), ({ rules, schedule, seed }, later) => {
        const { turns, states } = run(rules, schedule, seeded(seed));
        expect(run(rules, schedule, seeded(seed)).turns).toEqual(turns);
        const state = states.at(-1);
        if (state === undefined) return;
        const now = state.sentAt ?? START;
        const next = send('d7', { content: 'c1' });
        const first = turnOf(rules, state, next, now);
        expect(turnOf(rules, state, next, now + later).dueAt).toBeGreaterThanOrEqual(
          Math.min(first.dueAt, now + later),
        );
        expect(turnOf(rules, state, next, now)).toEqual(first);
      }),
      { numRuns: 60 },
    );
  });

  it('remembers little', () => {
    const seed = seeded(7);
    let state = old();
    for (let number = 0; number < 5_000; number += 1) {
      const at = START + number * 1_000;
      state = afterInbound(state, `in${number}`, at);
      state = afterSend(SAFE, state, send(`out${number}`, { content: `c${number}` }), at, seed);
    }
    expect(state.chats.flat().length).toBeLessThanOrEqual(CHAT_SLOTS * CHATS_PER_SLOT);
    expect(state.contents.length).toBeLessThanOrEqual(600);
    expect(state.lastHour.length).toBeLessThanOrEqual(14);
    expect(state.lastDay.length).toBeLessThanOrEqual(26);
  });

  it('holds nothing back when it is off', () => {
    fc.assert(
      fc.property(happenings, (schedule) => {
        let at = START;
        const { left } = run(null, schedule, half);
        const times = schedule.flatMap(({ afterMs, kind }) => {
          at += afterMs;
          return kind === 'send' ? [at] : [];
        });
        expect(left.map((one) => one.at)).toEqual(times);
      }),
      { numRuns: 30 },
    );
  });
});

describe('pacing policy', () => {
  it('waits 5 to 15 seconds between strangers, 30 to 60 after the first message to one', () => {
    const state = afterSend(SAFE, old(), send('a'), START, half);
    expect(turnOf(SAFE, state, send('b'), START)).toEqual({ dueAt: START + 10_000, reason: 'gap' });
    expect(nextSendAt(SAFE, state)).toBe(START + 10_000);
    expect(turnOf(SAFE, state, send('a'), START)).toEqual({ dueAt: START + 45_000, reason: 'chat-gap' });
  });

  it('lets a trusted account send five in a row into a chat, then one every six seconds', () => {
    const rules: PacingRules = { ...PROFILE_RULES.trusted, gap: { min: 0, max: 0 }, warmUp: false };
    let state: PacingState = { ...heard(old(), 'a'), pairedAt: 0 };
    const at = START + 2 * DAY;
    for (let number = 0; number < 5; number += 1) {
      expect(turnOf(rules, state, send('a'), at).reason).toBeUndefined();
      state = afterSend(rules, state, send('a'), at, half);
    }
    expect(turnOf(rules, state, send('a'), at)).toEqual({ dueAt: at + 6_000, reason: 'chat-gap' });
    state = afterSend(rules, state, send('a'), at + 6_000, half);
    expect(turnOf(rules, state, send('a'), at + 6_000).dueAt).toBe(at + 12_000);
  });

  it('lets replies leave after 1 to 4 seconds, whatever the chat’s gap and the cap of new conversations', () => {
    let state = heard(old(), 'a');
    for (let number = 0; number < SAFE.newConversationsPerDay; number += 1) {
      state = afterSend(SAFE, state, send(`b${number}`), START, half);
    }
    expect(turnOf(SAFE, state, send('c'), START + MINUTE).reason).toBe('new-conversations');
    expect(turnOf(SAFE, state, send('a'), START)).toEqual({ dueAt: START + 2_500, reason: 'gap' });
    state = afterSend(SAFE, state, send('a'), START + 2_500, half);
    expect(turnOf(SAFE, state, send('a'), START + 2_500).dueAt).toBe(START + 5_000);
  });

  it('counts a reply as a quarter of a send', () => {
    let state = heard(old(), 'a');
    const rules = { ...SAFE, perHour: 2 };
    for (let number = 0; number < 7; number += 1) state = afterSend(rules, state, send('a'), START, half);
    expect(turnOf(rules, state, send('a'), START + MINUTE).reason).toBeUndefined();
    expect(turnOf(rules, state, send('g', { kind: 'group' }), START + MINUTE).reason).toBe('hour-cap');
  });

  it('goes by the age of the account', () => {
    const rules = PROFILE_RULES.safe;
    let state = freshPacingState(START);
    for (let number = 0; number < 20; number += 1) {
      state = afterSend(rules, state, send(`g${number}`, { kind: 'group' }), START, half);
    }
    const next = send('g', { kind: 'group' });
    expect(turnOf(rules, state, next, START + MINUTE).reason).toBe('hour-cap');
    expect(turnOf({ ...rules, warmUp: false }, state, next, START + MINUTE).reason).toBeUndefined();
    expect(turnOf(rules, { ...state, pairedAt: START - 3 * DAY }, next, START + MINUTE).reason).toBeUndefined();
  });

  it('stays away from strangers after a refusal: for a day, then for two', () => {
    const first = afterRefusal(heard(old(), 'a'), START);
    expect(turnOf(SAFE, first, send('b'), START)).toEqual({ dueAt: START + DAY, reason: 'restricted' });
    expect(turnOf(SAFE, first, send('a'), START).reason).toBeUndefined();
    expect(turnOf(SAFE, first, send('g', { kind: 'group' }), START).reason).toBeUndefined();
    expect(afterRefusal(first, START + HOUR)).toBe(first);
    const second = afterRefusal(first, START + 2 * DAY);
    expect(second.restriction).toMatchObject({ strikes: 2, until: START + 4 * DAY });
    expect(afterRefusal(second, START + 60 * DAY).restriction?.strikes).toBe(1);
  });

  it('halves the caps while it is restricted', () => {
    let state = afterRefusal(old(), START);
    for (let number = 0; number < 30; number += 1) {
      state = afterSend(SAFE, state, send(`g${number}`, { kind: 'group' }), START, half);
    }
    const next = send('g', { kind: 'group' });
    expect(turnOf(SAFE, state, next, START + MINUTE).reason).toBe('hour-cap');
    expect(turnOf(SAFE, { ...state, restriction: null }, next, START + MINUTE).reason).toBeUndefined();
  });

  it('is quiet at night where it knows when night is, but answers', () => {
    const rules = { ...SAFE, timezone: 'Europe/Berlin' };
    const night = Date.UTC(2026, 5, 1, 21);
    const state = { ...old(), draw: 0.5 };
    const morning = Date.UTC(2026, 5, 2, 6, 2, 30);
    expect(turnOf(rules, state, send('a'), night)).toEqual({ dueAt: morning, reason: 'quiet-hours' });
    expect(turnOf(rules, state, send('a'), morning).reason).toBeUndefined();
    expect(turnOf(rules, heard(state, 'a'), send('a'), night).reason).toBeUndefined();
    expect(turnOf(SAFE, state, send('a'), night).reason).toBeUndefined();
    expect(turnOf({ ...rules, quietHours: null }, state, send('a'), night).reason).toBeUndefined();
  });

  it('asks again in a day when no new conversation is allowed at all', () => {
    const rules = { ...SAFE, newConversationsPerDay: 0 };
    expect(turnOf(rules, old(), send('a'), START)).toEqual({ dueAt: START + DAY, reason: 'new-conversations' });
  });

  it('types for as long as the text is long', () => {
    const time = (textLength: number, random: () => number) => typingTime(SAFE, send('a', { textLength }), random);
    expect(time(50, half)).toBe(2_000);
    expect(time(50, () => 0)).toBe(1_400);
    expect(time(5_000, () => 1)).toBe(8_000);
    expect(time(0, half)).toBe(0);
    expect(typingTime(PROFILE_RULES.trusted, send('a'), half)).toBe(0);
    expect(typingTime(null, send('a'), half)).toBe(0);
  });
});

describe('pacingRules', () => {
  it('takes the platform’s profile where the session names none', () => {
    expect(pacingRules(undefined, 'warm')).toEqual(PROFILE_RULES.warm);
    expect(pacingRules({ profile: 'trusted' }, 'off')).toEqual(PROFILE_RULES.trusted);
    expect(pacingRules({ profile: 'off', overrides: { perHour: 3 } }, 'safe')).toBeNull();
    expect(pacingRules({}, 'off')).toBeNull();
  });

  it('replaces single figures', () => {
    const rules = pacingRules(
      {
        timezone: 'Europe/Berlin',
        quietHours: { from: '20:30', to: '06:00' },
        overrides: { gap: { min: 1, max: 2 }, groupGap: 0, newConversationsPerDay: 0, typing: false },
      },
      'safe',
    );
    expect(rules).toEqual({
      ...PROFILE_RULES.safe,
      gap: { min: 1_000, max: 2_000 },
      groupGap: 0,
      newConversationsPerDay: 0,
      typing: false,
      timezone: 'Europe/Berlin',
      quietHours: { from: 1_230, to: 360 },
    });
    expect(pacingRules({ quietHours: null }, 'safe')?.quietHours).toBeNull();
  });
});
