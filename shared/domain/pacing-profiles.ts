/** Profiles of pacing, from careful to none. */
export const PACING_PROFILES = ['safe', 'warm', 'trusted', 'off'] as const;
export type PacingProfile = (typeof PACING_PROFILES)[number];

/** Milliseconds; a value between is drawn anew for each send. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Night at the account's place: minutes since midnight. `from` may be later than `to`. */
export interface QuietHours {
  readonly from: number;
  readonly to: number;
}

/** When sends may leave. Durations in milliseconds; counts are of sends that nobody asked for. */
export interface PacingRules {
  /** Between any two sends of the session. */
  readonly gap: Range;
  /** The same before a reply: a send into a direct chat that wrote in the last 24 hours. */
  readonly replyGap: Range;
  /** Between two sends into the same direct chat, on the average of `chatBurst` sends in a row. */
  readonly chatGap: number;
  readonly chatBurst: number;
  /** After the first message to somebody who has never written. */
  readonly firstContactGap: Range;
  readonly groupGap: number;
  /** In every hour, and in every 24 hours. A reply counts a quarter. */
  readonly perHour: number;
  readonly perDay: number;
  /** Messages that open a conversation with somebody who has never written, in every 24 hours. */
  readonly newConversationsPerDay: number;
  /** Chats that get the same content within an hour; replies do not count. */
  readonly sameContentPerHour: number;
  /** Applies where the time zone is known. */
  readonly quietHours: QuietHours | null;
  /** IANA name. */
  readonly timezone: string | null;
  /** Shows "typing…" before a text, for as long as the text is long. */
  readonly typing: boolean;
  /** Lower caps in the first ten days after pairing. */
  readonly warmUp: boolean;
  /** Opens no conversations for a day when too few messages are delivered. */
  readonly deliveryBrake: boolean;
}

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const seconds = (min: number, max: number): Range => ({ min: min * 1000, max: max * 1000 });
const night = (from: number, to: number): QuietHours => ({ from: from * 60, to: to * 60 });

/** The figures of each profile. */
export const PROFILE_RULES: Readonly<Record<Exclude<PacingProfile, 'off'>, PacingRules>> = {
  safe: {
    gap: seconds(5, 15),
    replyGap: seconds(1, 4),
    chatGap: 10_000,
    chatBurst: 1,
    firstContactGap: seconds(30, 60),
    groupGap: 30_000,
    perHour: 60,
    perDay: 300,
    newConversationsPerDay: 20,
    sameContentPerHour: 10,
    quietHours: night(22, 8),
    timezone: null,
    typing: true,
    warmUp: true,
    deliveryBrake: true,
  },
  warm: {
    gap: seconds(3, 8),
    replyGap: seconds(1, 4),
    chatGap: 6_000,
    chatBurst: 1,
    firstContactGap: seconds(6, 6),
    groupGap: 15_000,
    perHour: 120,
    perDay: 800,
    newConversationsPerDay: 60,
    sameContentPerHour: 25,
    quietHours: night(23, 7),
    timezone: null,
    typing: true,
    warmUp: true,
    deliveryBrake: true,
  },
  trusted: {
    gap: seconds(1, 3),
    replyGap: seconds(1, 3),
    chatGap: 6_000,
    chatBurst: 5,
    firstContactGap: seconds(6, 6),
    groupGap: 8_000,
    perHour: 240,
    perDay: 2_000,
    newConversationsPerDay: 200,
    sameContentPerHour: 100,
    quietHours: null,
    timezone: null,
    typing: false,
    warmUp: true,
    deliveryBrake: true,
  },
};

/** Caps of an account that was paired less than `days` ago. */
export const WARM_UP: readonly { readonly days: number; readonly perHour: number; readonly perDay: number }[] = [
  { days: 2, perHour: 20, perDay: 50 },
  { days: 5, perHour: 40, perDay: 200 },
  { days: 10, perHour: 80, perDay: 500 },
];
