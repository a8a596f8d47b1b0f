import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import type { ApiKeyStore } from '#shared/ports/api-key-store.ts';

const EXACT_TO_MS = 60_000;
/** Lambda freezes a function that has answered, so what is not waited for may never be written. */
const LONGEST_WAIT_MS = 50;

export interface LastUsedDeps {
  readonly keys: Pick<ApiKeyStore, 'used'>;
  readonly clock: { now(): number };
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * Notes that a key was used, at most once a minute. That one request waits for the write, not longer than 50 ms, and
 * never fails because of it.
 */
export function createNoteUse({ keys, clock, logger }: LastUsedDeps): (row: ApiKeyRow) => Promise<void> {
  return async ({ id, lastUsedAt }) => {
    const now = clock.now();
    if (lastUsedAt !== undefined && now - lastUsedAt < EXACT_TO_MS) return;
    const written = keys.used(id, now).catch((error: unknown) => {
      logger.warn({ err: error, keyId: id }, 'could not note that a key was used');
    });
    const enough = new AbortController();
    const tooLong = delay(LONGEST_WAIT_MS, undefined, { signal: enough.signal }).catch(() => undefined);
    await Promise.race([written, tooLong]);
    enough.abort();
  };
}
