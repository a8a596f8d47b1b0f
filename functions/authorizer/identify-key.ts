import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import type { KeyPepper } from '#shared/domain/key-pepper.ts';
import type { ApiKeyStore } from '#shared/ports/api-key-store.ts';
import type { ReadPepper } from '#shared/ports/read-pepper.ts';
import { isGranted, type ValidityDeps } from './key-validity.ts';

const LONGEST_KEY = 512;

export interface IdentifyKeyDeps extends ValidityDeps {
  readonly keys: Pick<ApiKeyStore, 'get'>;
  readonly readPepper: ReadPepper;
}

/** The row of a key that is good at this moment; undefined for every other text. Nothing is remembered in between. */
export type IdentifyKey = (key: string) => Promise<ApiKeyRow | undefined>;

export function createIdentifyKey(deps: IdentifyKeyDeps): IdentifyKey {
  return async (key) => {
    if (key.length > LONGEST_KEY) return undefined;
    const pepper = await deps.readPepper();
    const id = pepper.idOf(key);
    const row = id === undefined ? undefined : await deps.keys.get(id);
    if (row === undefined || !opens(row, key, pepper, deps.clock.now())) return undefined;
    return (await isGranted(row, deps)) ? row : undefined;
  };
}

function opens({ hash, previous }: ApiKeyRow, key: string, pepper: KeyPepper, now: number): boolean {
  if (hash !== undefined && pepper.matches(key, hash)) return true;
  return previous !== undefined && previous.until > now && pepper.matches(key, previous.hash);
}
