import type { ApiKeyRow } from '../../contracts/rows.ts';
import type { ApiKeyStore } from '../../ports/api-key-store.ts';

export class MemoryApiKeyStore implements ApiKeyStore {
  readonly #rows = new Map<string, ApiKeyRow>();

  async get(id: string): Promise<ApiKeyRow | undefined> {
    return structuredClone(this.#rows.get(id));
  }

  async list(): Promise<readonly ApiKeyRow[]> {
    return structuredClone([...this.#rows.values()]);
  }

  async listBySession(session: string): Promise<readonly Pick<ApiKeyRow, 'id' | 'incarnation'>[]> {
    return [...this.#rows.values()]
      .filter((row) => row.session === session)
      .map(({ id, incarnation }) => ({ id, ...(incarnation !== undefined && { incarnation }) }));
  }

  async create(row: ApiKeyRow): Promise<boolean> {
    if (this.#rows.has(row.id)) return false;
    this.#rows.set(row.id, structuredClone(row));
    return true;
  }

  async replace(row: ApiKeyRow): Promise<boolean> {
    if (this.#rows.get(row.id)?.version !== row.version) return false;
    this.#rows.set(row.id, structuredClone({ ...row, version: row.version + 1 }));
    return true;
  }

  async used(id: string, at: number): Promise<void> {
    const row = this.#rows.get(id);
    if (row !== undefined) this.#rows.set(id, { ...row, lastUsedAt: at });
  }

  async remove(id: string, version: number): Promise<boolean> {
    if (this.#rows.get(id)?.version !== version) return false;
    return this.#rows.delete(id);
  }

  async removeOfSession(id: string, incarnation: string): Promise<void> {
    const row = this.#rows.get(id);
    if (row?.incarnation === incarnation && row.principal === undefined) this.#rows.delete(id);
  }
}
