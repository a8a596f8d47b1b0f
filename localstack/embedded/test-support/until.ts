import { setTimeout as delay } from 'node:timers/promises';

/** Resolves with the first defined answer of `probe`; rejects after ten seconds without one. */
export async function until<T>(probe: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error('What the test waits for did not happen within ten seconds.');
    await delay(2);
  }
}
