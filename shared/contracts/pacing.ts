import * as z from 'zod';
import { PACING_PROFILES } from '../domain/pacing-profiles.ts';
import { isTimeZone, minutesOfDay } from '../domain/quiet-hours.ts';

const LONGEST_GAP_SECONDS = 3_600;
const MOST_PER_HOUR = 600;
const MOST_PER_DAY = 10_000;

const seconds = z
  .number()
  .min(0, { error: 'must be 0 or more seconds' })
  .max(LONGEST_GAP_SECONDS, { error: `must be at most ${LONGEST_GAP_SECONDS} seconds` });
const range = z
  .object({ min: seconds, max: seconds })
  .refine(({ min, max }) => min <= max, { error: 'min must not be greater than max', path: ['min'] });
const count = (least: number, most: number) =>
  z
    .number()
    .int()
    .min(least, { error: `must be at least ${least}` })
    .max(most, { error: `must be at most ${most}` });
const timeOfDay = z.string().refine((text) => minutesOfDay(text) !== undefined, { error: 'must be a time as HH:MM' });

export const pacingOverridesSchema = z.object({
  gap: range.nullish().meta({ description: 'Between any two sends of the session, random, in seconds' }),
  replyGap: range.nullish().meta({ description: 'The same before a reply to a chat that wrote in the last 24 hours' }),
  chatGap: seconds.nullish().meta({ description: 'Between two sends into the same chat, in seconds' }),
  firstContactGap: range.nullish().meta({ description: 'After the first message to somebody who never wrote' }),
  groupGap: seconds.nullish().meta({ description: 'Between two sends into the same group, in seconds' }),
  perHour: count(1, MOST_PER_HOUR).nullish().meta({ description: 'Sends in an hour; a reply counts a quarter' }),
  perDay: count(1, MOST_PER_DAY).nullish().meta({ description: 'Sends in 24 hours; a reply counts a quarter' }),
  newConversationsPerDay: count(0, MOST_PER_DAY)
    .nullish()
    .meta({ description: 'Conversations opened with people who never wrote, in 24 hours; 0: only replies' }),
  sameContentPerHour: count(1, MOST_PER_HOUR)
    .nullish()
    .meta({ description: 'Chats that get the same content within an hour' }),
  typing: z.boolean().nullish().meta({ description: 'Show "typing…" before a text' }),
  warmUp: z.boolean().nullish().meta({ description: 'Lower caps in the first ten days after pairing' }),
  deliveryBrake: z
    .boolean()
    .nullish()
    .meta({ description: 'Open no conversations for a day when less than 60 % of 50 messages were delivered' }),
});

/** How fast a session's sends may leave. */
export const pacingConfigSchema = z
  .object({
    profile: z
      .enum(PACING_PROFILES)
      .nullish()
      .meta({ description: "Default: the platform's, `safe` unless it was set otherwise. `off`: no limits" }),
    timezone: z
      .string()
      .refine(isTimeZone, { error: 'must be an IANA time zone, for example Europe/Berlin' })
      .nullish()
      .meta({ description: 'Where the account lives. Without it there are no quiet hours' }),
    quietHours: z
      .object({ from: timeOfDay, to: timeOfDay })
      .nullish()
      .meta({ description: "Only replies leave in them. Null: none; missing: the profile's" }),
    overrides: pacingOverridesSchema.nullish().meta({ description: "Replaces single figures of the profile's" }),
  })
  .refine(({ quietHours, timezone }) => !quietHours || Boolean(timezone), {
    error: 'is needed for quietHours',
    path: ['timezone'],
  })
  .meta({
    id: 'PacingConfig',
    description: 'When sends may leave. What is not due yet waits, and `notBefore` of its job says until when',
  });
