import type { AuditEntry } from '../contracts/audit.ts';

const TIME_DIGITS = 13;

/** Where an entry is: sorts by time. */
export function auditPlace({ at, id }: Pick<AuditEntry, 'at' | 'id'>): string {
  return `${placeOfTime(at)}_${id}`;
}

/** Sorts before every entry of that millisecond. */
export function placeOfTime(at: number): string {
  return String(at).padStart(TIME_DIGITS, '0');
}

export function timeOfPlace(place: string): number {
  return Number(place.slice(0, TIME_DIGITS));
}

/** `2026-11`, in UTC. */
export function monthOf(at: number): string {
  return new Date(at).toISOString().slice(0, 7);
}

/** Months from one time back to another, the latest first. */
export function* monthsBack(to: number, from: number): Generator<string> {
  const last = monthOf(from);
  for (let at = to, month = monthOf(at); month >= last; month = monthOf(at)) {
    yield month;
    const day = new Date(at);
    at = Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), 1) - 1;
  }
}
