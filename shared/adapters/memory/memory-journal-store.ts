import type { AppendOutcome, JournalRecord, JournalSession, JournalStore } from '../../ports/journal-store.ts';

export class MemoryJournalStore implements JournalStore {
  readonly #journals = new Map<string, Map<number, JournalRecord>>();

  async append(session: JournalSession, record: JournalRecord): Promise<AppendOutcome> {
    const journal = this.#journal(session);
    const holder = journal.get(record.lsn);
    if (holder !== undefined) return { kind: 'taken', epoch: holder.epoch, batchId: holder.batchId };
    journal.set(record.lsn, { ...record, body: Uint8Array.from(record.body) });
    return { kind: 'appended' };
  }

  async *read(session: JournalSession, fromLsn: number): AsyncGenerator<JournalRecord> {
    const records = [...this.#journal(session).values()].filter(({ lsn }) => lsn >= fromLsn);
    for (const record of records.sort((a, b) => a.lsn - b.lsn)) yield { ...record, body: Uint8Array.from(record.body) };
  }

  async retire(session: JournalSession, belowLsn: number): Promise<void> {
    const journal = this.#journal(session);
    for (const { lsn, kind } of journal.values()) if (lsn < belowLsn && kind === 'changes') journal.delete(lsn);
  }

  async clear(session: JournalSession): Promise<void> {
    this.#journal(session).clear();
  }

  #journal({ name, incarnation }: JournalSession): Map<number, JournalRecord> {
    const id = `${name}#${incarnation}`;
    const known = this.#journals.get(id) ?? new Map<number, JournalRecord>();
    this.#journals.set(id, known);
    return known;
  }
}
