import type { Slice } from './pacing-state.ts';

/** A sliding window of time, counted in slices. */
export interface Window {
  /** Milliseconds. */
  readonly length: number;
  readonly slice: number;
}

/** Adds to the slice of `at` and drops those that no window needs any more. Time never runs backwards in it. */
export function counted(
  slices: readonly Slice[],
  { length, slice }: Window,
  at: number,
  units: number,
  opened: number,
): readonly Slice[] {
  const last = slices.at(-1);
  const start = Math.max(Math.floor(at / slice) * slice, last?.start ?? 0);
  const current = last?.start === start ? last : { start, units: 0, opened: 0 };
  const earlier = slices.filter((one) => one.start !== start && one.start + slice + length > at);
  return [...earlier, { start, units: current.units + units, opened: current.opened + opened }];
}

/**
 * The earliest time from `now` on at which `cost` more fits under `cap` in every window. A slice counts until its
 * end has left the window, so the answer is up to a slice late and never early.
 */
export function roomAt(
  slices: readonly Slice[],
  { length, slice }: Window,
  now: number,
  { of, cost, cap }: { readonly of: (slice: Slice) => number; readonly cost: number; readonly cap: number },
): number {
  const counting = slices.filter(({ start }) => start + slice + length > now);
  let left = counting.reduce((sum, one) => sum + of(one), 0);
  let at = now;
  for (const one of counting) {
    if (left + cost <= cap) return at;
    left -= of(one);
    at = one.start + slice + length;
  }
  // Not even an empty window has room: it is asked again when a whole one has passed.
  return left + cost <= cap ? at : Math.max(at, now + length);
}
