import type { ApiKeyRow } from '../contracts/rows.ts';

export interface ApiKeyStore {
  /** @param keyHash SHA-256 of the key, hex */
  get(keyHash: string): Promise<ApiKeyRow | undefined>;
  put(row: ApiKeyRow): Promise<void>;
}
