import { HOUR } from './pacing-profiles.ts';

/** A message to a person, of which a receipt may come. */
export interface WatchedSend {
  readonly id: string;
  /** When it was first heard of, milliseconds since 1970. */
  readonly at: number;
  /** WhatsApp has it. A receipt may be heard before that. */
  readonly left: boolean;
  readonly delivered: boolean;
}

/** Of so many sends the delivered ones are counted. */
const JUDGED = 50;
const LEAST_SHARE = 0.6;
/** Sends count only after this time: a phone may be off for a while. */
const RIPE_AFTER = HOUR;
/** As many as may leave within an hour, and those that are judged. */
const MOST = 650;

/** WhatsApp has a message of ours. Oldest first, as what is returned. */
export function withSent(sends: readonly WatchedSend[], id: string, now: number): readonly WatchedSend[] {
  return noted(sends, id, now, { left: true });
}

/** A receipt says that a message has reached a device. */
export function withDelivered(sends: readonly WatchedSend[], id: string, now: number): readonly WatchedSend[] {
  return noted(sends, id, now, { delivered: true });
}

/** How many of the newest 50 ripe sends have been delivered, if that is less than 60 %: people have blocked the account. */
export function tooFewDelivered(
  sends: readonly WatchedSend[],
  now: number,
): { readonly delivered: number; readonly sends: number } | undefined {
  const judged = sends.filter((send) => send.left && isRipe(send, now)).slice(-JUDGED);
  const delivered = judged.filter((send) => send.delivered).length;
  if (judged.length < JUDGED || delivered >= LEAST_SHARE * JUDGED) return undefined;
  return { delivered, sends: JUDGED };
}

function noted(
  sends: readonly WatchedSend[],
  id: string,
  now: number,
  news: Partial<WatchedSend>,
): readonly WatchedSend[] {
  const known = sends.some((send) => send.id === id);
  const all = known
    ? sends.map((send) => (send.id === id ? { ...send, ...news } : send))
    : [...sends, { id, at: now, left: false, delivered: false, ...news }];
  const ripe = all.filter((send) => send.left && isRipe(send, now));
  return [...ripe.slice(-JUDGED), ...all.filter((send) => !isRipe(send, now))].slice(-MOST);
}

function isRipe({ at }: WatchedSend, now: number): boolean {
  return at + RIPE_AFTER <= now;
}
