import { createHash } from 'node:crypto';

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * The id of an event: `evt_` + 26 lower-case ULID characters. The time part is the event's own time, the random part
 * is a hash of what happened, so the same happening always has the same id, whoever publishes it and how often.
 *
 * @param incarnation a later session of the same name never has an event of this one's id
 * @param timestamp milliseconds since 1970 at which it happened (must itself be stable over redeliveries)
 * @param key what happened, unique per session and event name, e.g. a message's long id
 */
export function eventId(
  { name, incarnation }: { readonly name: string; readonly incarnation: string },
  event: string,
  timestamp: number,
  key: string,
): string {
  const hash = createHash('sha256').update(`v2\0${name}\0${incarnation}\0${event}\0${key}`).digest();
  let bits = BigInt(Math.max(0, Math.floor(timestamp))) << 80n;
  for (let index = 0; index < 10; index += 1) bits |= BigInt(hash[index] ?? 0) << BigInt(72 - index * 8);
  let text = '';
  for (let index = 0; index < 26; index += 1) {
    text = `${CROCKFORD[Number(bits & 31n)]}${text}`;
    bits >>= 5n;
  }
  return `evt_${text}`;
}

/** Milliseconds since 1970 at which the event with this id happened; undefined when it is no such id. */
export function eventTime(id: string): number | undefined {
  if (!/^evt_[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(id)) return undefined;
  return [...id.slice(4, 14)].reduce((time, digit) => time * 32 + CROCKFORD.indexOf(digit), 0);
}
