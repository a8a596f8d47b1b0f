import type { ApiKeyRow } from '../../contracts/rows.ts';
import type { ApiKeyStore } from '../../ports/api-key-store.ts';

export class MemoryApiKeyStore implements ApiKeyStore {
  readonly #rows = new Map<string, ApiKeyRow>();

  async get(keyHash: string): Promise<ApiKeyRow | undefined> {
    return structuredClone(this.#rows.get(keyHash));
  }

  async put(row: ApiKeyRow): Promise<void> {
    this.#rows.set(row.keyHash, structuredClone(row));
  }
}
