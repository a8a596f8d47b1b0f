import { type ApiKeyRow, KEY_ACTIONS } from '#shared/contracts/rows.ts';
import type { KeyPepper } from '#shared/domain/key-pepper.ts';
import type { ApiKeyStore } from '#shared/ports/api-key-store.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { ReadPepper } from '#shared/ports/read-pepper.ts';

const LEAST_LENGTH = 20;

export interface AdministratorKeyDeps {
  readonly keys: Pick<ApiKeyStore, 'create'>;
  /** The key, as it was made for this installation. */
  readonly readKey: () => Promise<string>;
  readonly readPepper: ReadPepper;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Lets the administrator's key in. Done again it changes nothing: a key that has been revoked, changed or deleted stays so.
 *
 * @throws RangeError when the key is so short that it could be guessed, or has been cut off; what the store and the
 * readers throw
 */
export function createAdministratorKey(deps: AdministratorKeyDeps): () => Promise<void> {
  return async () => {
    const [key, pepper] = await Promise.all([deps.readKey(), deps.readPepper()]);
    if (key.length < LEAST_LENGTH) throw new RangeError(`The key has fewer than ${LEAST_LENGTH} characters`);
    await deps.keys.create(administratorRow(key, pepper, deps.clock.now()));
  };
}

function administratorRow(key: string, pepper: KeyPepper, createdAt: number): ApiKeyRow {
  const id = pepper.idOf(key);
  if (id === undefined) throw new RangeError('The key is not whole');
  return {
    id,
    version: 1,
    name: 'administrator',
    hash: pepper.hash(key),
    brought: true,
    isAdmin: true,
    isActive: true,
    session: null,
    actions: [...KEY_ACTIONS],
    createdAt,
  };
}
