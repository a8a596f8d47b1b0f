import type { ApiKeyRow } from '#shared/contracts/rows.ts';
import type { ApiKeyStore } from '#shared/ports/api-key-store.ts';
import type { ReadPepper } from '#shared/ports/read-pepper.ts';
import { hasHash, isGranted, type ValidityDeps } from './key-validity.ts';

const LONGEST_KEY = 512;

export interface IdentifyKeyDeps extends ValidityDeps {
  readonly keys: Pick<ApiKeyStore, 'get'>;
  readonly readPepper: ReadPepper;
}

export interface IdentifiedKey {
  readonly row: ApiKeyRow;
  /** Of the key that was presented: the row's, or the one before. */
  readonly hash: string;
}

/** Whose key it is, if it is good at this moment; undefined for every other text. Nothing is remembered in between. */
export type IdentifyKey = (key: string) => Promise<IdentifiedKey | undefined>;

export function createIdentifyKey(deps: IdentifyKeyDeps): IdentifyKey {
  return async (key) => {
    if (key.length > LONGEST_KEY) return undefined;
    const pepper = await deps.readPepper();
    const id = pepper.idOf(key);
    const row = id === undefined ? undefined : await deps.keys.get(id);
    if (row === undefined) return undefined;
    const hash = pepper.hash(key);
    if (!hasHash(row, hash, deps.clock.now()) || !(await isGranted(row, deps))) return undefined;
    return { row, hash };
  };
}
