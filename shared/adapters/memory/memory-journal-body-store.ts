import { NotFoundError } from '../../domain/errors.ts';
import type { JournalBodyStore, JournalSession } from '../../ports/journal-store.ts';
import { journalBodyKey, journalBodyPrefix, lsnOfBody } from '../journal-body-key.ts';

export class MemoryJournalBodyStore implements JournalBodyStore {
  readonly #bodies = new Map<string, Uint8Array>();

  /** Number of bodies. */
  get size(): number {
    return this.#bodies.size;
  }

  async put(session: JournalSession, lsn: number, epoch: number, body: Uint8Array): Promise<void> {
    this.#bodies.set(journalBodyKey(session, lsn, epoch), Uint8Array.from(body));
  }

  async get(session: JournalSession, lsn: number, epoch: number): Promise<Uint8Array> {
    const body = this.#bodies.get(journalBodyKey(session, lsn, epoch));
    if (body === undefined) throw new NotFoundError('The body of a journal record does not exist');
    return Uint8Array.from(body);
  }

  async deleteBelow(session: JournalSession, lsn: number): Promise<void> {
    const prefix = journalBodyPrefix(session);
    for (const key of this.#bodies.keys()) if (key.startsWith(prefix) && lsnOfBody(key) < lsn) this.#bodies.delete(key);
  }
}
