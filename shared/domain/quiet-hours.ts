import type { QuietHours } from './pacing-profiles.ts';

const DAY_MINUTES = 24 * 60;
const MINUTE_MS = 60_000;
const formats = new Map<string, Intl.DateTimeFormat>();

export function isTimeZone(name: string): boolean {
  try {
    return formatOf(name) !== undefined;
  } catch {
    return false;
  }
}

/** `HH:MM` as minutes since midnight; undefined when it is no time of day. */
export function minutesOfDay(text: string): number | undefined {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * 60 + Number(match[2]);
}

/** The time itself, or the end of the quiet hours that it falls into. */
export function afterQuietHours(time: number, { from, to }: QuietHours, timezone: string): number {
  const length = (to - from + DAY_MINUTES) % DAY_MINUTES;
  let at = time;
  // A clock change within the night shifts its end by an hour; the second look corrects that.
  for (let look = 0; look < 3; look += 1) {
    const since = (localMinutes(at, timezone) - from + DAY_MINUTES) % DAY_MINUTES;
    if (since >= length) return at;
    at = Math.floor(at / MINUTE_MS) * MINUTE_MS + (length - since) * MINUTE_MS;
  }
  return at;
}

function localMinutes(time: number, timezone: string): number {
  let minutes = 0;
  for (const { type, value } of formatOf(timezone).formatToParts(time)) {
    if (type === 'hour') minutes += Number(value) * 60;
    if (type === 'minute') minutes += Number(value);
  }
  return minutes;
}

function formatOf(timezone: string): Intl.DateTimeFormat {
  const known = formats.get(timezone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  formats.set(timezone, format);
  return format;
}
