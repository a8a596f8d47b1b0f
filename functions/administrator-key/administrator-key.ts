import { type ApiKeyRow, KEY_ACTIONS } from '#shared/contracts/rows.ts';
import { hashApiKey } from '#shared/domain/api-key.ts';
import type { ApiKeyStore } from '#shared/ports/api-key-store.ts';
import type { Clock } from '#shared/ports/clock.ts';

const LEAST_LENGTH = 20;

export interface AdministratorKeyDeps {
  readonly keys: ApiKeyStore;
  /** The key, as it was made for this installation. */
  readonly readKey: () => Promise<string>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Lets the administrator's key in. Done again it changes nothing: a key that has been revoked stays revoked.
 *
 * @throws RangeError when the key is so short that it could be guessed; what the store and `readKey` throw
 */
export function createAdministratorKey({ keys, readKey, clock }: AdministratorKeyDeps): () => Promise<void> {
  return async () => {
    const key = await readKey();
    if (key.length < LEAST_LENGTH) throw new RangeError(`The key has fewer than ${LEAST_LENGTH} characters`);
    if ((await keys.get(hashApiKey(key))) === undefined) await keys.put(administratorRow(key, clock.now()));
  };
}

/** @param now milliseconds since 1970 */
export function administratorRow(key: string, now: number): ApiKeyRow {
  return {
    keyHash: hashApiKey(key),
    id: 'key_id_administrator',
    isAdmin: true,
    isActive: true,
    session: null,
    actions: [...KEY_ACTIONS],
    createdAt: now,
  };
}
