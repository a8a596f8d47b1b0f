import type { Clock } from '../ports/clock.ts';

const NS_PER_MS = 1e6;

/**
 * The machine's clocks. The monotonic one has the same origin in every thread of a process, which `performance.now` has
 * not. On Linux it goes on while a process is stopped, and stands still while the whole machine sleeps.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => Number(process.hrtime.bigint()) / NS_PER_MS,
};
