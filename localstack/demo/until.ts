import { setTimeout as delay } from 'node:timers/promises';

/** A condition did not come true in time. */
export class DeadlineError extends Error {}

/**
 * Asks again and again until the answer is there.
 *
 * @param look resolves to undefined as long as it is not
 * @param timeoutMs @default 20000
 * @throws DeadlineError naming `what`
 */
export async function until<T>(what: string, look: () => Promise<T | undefined>, timeoutMs = 20_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new DeadlineError(`${what} did not happen within ${timeoutMs / 1000} s`);
    await delay(5);
  }
}
