import { type PacingProfile, type PacingRules, PROFILE_RULES, type Range } from './pacing-profiles.ts';
import { minutesOfDay } from './quiet-hours.ts';

type Maybe<T> = T | null | undefined;

/** What a session's configuration may say about pacing. Durations in seconds, times of day as `HH:MM`. */
export interface PacingSettings {
  readonly profile?: Maybe<PacingProfile>;
  readonly timezone?: Maybe<string>;
  /** Null switches them off; undefined leaves the profile's. */
  readonly quietHours?: Maybe<{ readonly from: string; readonly to: string }>;
  readonly overrides?: Maybe<{
    readonly gap?: Maybe<Range>;
    readonly replyGap?: Maybe<Range>;
    readonly chatGap?: Maybe<number>;
    readonly firstContactGap?: Maybe<Range>;
    readonly groupGap?: Maybe<number>;
    readonly perHour?: Maybe<number>;
    readonly perDay?: Maybe<number>;
    readonly newConversationsPerDay?: Maybe<number>;
    readonly sameContentPerHour?: Maybe<number>;
    readonly typing?: Maybe<boolean>;
    readonly warmUp?: Maybe<boolean>;
    readonly deliveryBrake?: Maybe<boolean>;
  }>;
}

/** The rules of a session; null: none, everything leaves at once. */
export function pacingRules(settings: Maybe<PacingSettings>, fallback: PacingProfile): PacingRules | null {
  const profile = settings?.profile ?? fallback;
  if (profile === 'off') return null;
  const rules = PROFILE_RULES[profile];
  const wanted = settings?.overrides ?? {};
  return {
    gap: milliseconds(wanted.gap) ?? rules.gap,
    replyGap: milliseconds(wanted.replyGap) ?? rules.replyGap,
    chatGap: scaled(wanted.chatGap) ?? rules.chatGap,
    chatBurst: rules.chatBurst,
    firstContactGap: milliseconds(wanted.firstContactGap) ?? rules.firstContactGap,
    groupGap: scaled(wanted.groupGap) ?? rules.groupGap,
    perHour: wanted.perHour ?? rules.perHour,
    perDay: wanted.perDay ?? rules.perDay,
    newConversationsPerDay: wanted.newConversationsPerDay ?? rules.newConversationsPerDay,
    sameContentPerHour: wanted.sameContentPerHour ?? rules.sameContentPerHour,
    quietHours: quietHours(settings) ?? (settings?.quietHours === null ? null : rules.quietHours),
    timezone: settings?.timezone ?? null,
    typing: wanted.typing ?? rules.typing,
    warmUp: wanted.warmUp ?? rules.warmUp,
    deliveryBrake: wanted.deliveryBrake ?? rules.deliveryBrake,
  };
}

function quietHours(settings: Maybe<PacingSettings>): PacingRules['quietHours'] | undefined {
  const wanted = settings?.quietHours;
  const from = minutesOfDay(wanted?.from ?? '');
  const to = minutesOfDay(wanted?.to ?? '');
  return from === undefined || to === undefined ? undefined : { from, to };
}

function milliseconds(range: Maybe<Range>): Range | undefined {
  return range ? { min: range.min * 1000, max: range.max * 1000 } : undefined;
}

function scaled(seconds: Maybe<number>): number | undefined {
  return seconds === null || seconds === undefined ? undefined : seconds * 1000;
}
