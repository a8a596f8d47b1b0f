import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '#shared/ports/clock.ts';

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 250;

/**
 * Reads until the value is as wanted or `timeoutMs` are over, with growing pauses. Resolves with the last value read,
 * wanted or not.
 */
export async function pollUntil<T>(
  read: () => Promise<T>,
  isWanted: (value: T) => boolean,
  timeoutMs: number,
  clock: Clock,
): Promise<T> {
  const deadline = clock.monotonic() + timeoutMs;
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    const value = await read();
    const left = deadline - clock.monotonic();
    if (isWanted(value) || left <= 0) return value;
    await sleep(Math.min(pause, left));
    pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS);
  }
}
