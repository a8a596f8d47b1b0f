import { decodeHappening, type Happening } from '#engine-host/engines/noweb/happening.ts';
import { decodeChanges } from '#engine-host/sessions/journal-codec.ts';
import { openBody } from '#engine-host/sessions/sealed-body.ts';
import type { DataKeyProvider } from '#shared/ports/data-keys.ts';
import type { JournalRecord, JournalSession } from '#shared/ports/journal-store.ts';
import type { Books, DurableFacts } from './books.ts';
import { eventsOf, idOf } from './model-events.ts';

/** Reads every record at the moment at which the journal has it: what would survive if everything stopped now. */
export class DurableView implements DurableFacts {
  readonly #keys: DataKeyProvider;
  readonly #books: Books;
  readonly #values = new Map<string, Map<string, Uint8Array>>();
  readonly #held = new Set<string>();
  readonly #newest = new Map<string, number>();

  constructor(keys: DataKeyProvider, books: Books) {
    this.#keys = keys;
    this.#books = books;
  }

  number(session: string, key: string): number {
    return Number(Buffer.from(this.#of(session).get(key) ?? Buffer.from('0')).toString());
  }

  has(session: string, key: string): boolean {
    return this.#of(session).has(key);
  }

  hasEverHeld(session: string, stanzaId: string): boolean {
    return this.#held.has(`${session} ${stanzaId}`);
  }

  async apply(session: JournalSession, record: JournalRecord, overwrites: boolean): Promise<void> {
    const { lsn, epoch, kind, body } = record;
    // A late first try of a record that a checkpoint has replaced since finds its position free. Nobody reads it again.
    const newest = this.#newest.get(session.name) ?? 0;
    if (lsn <= newest && !overwrites) return;
    this.#newest.set(session.name, Math.max(newest, lsn));
    const content = await openBody(body.subarray(1), { kind, session, lsn, epoch }, this.#keys);
    const values = this.#of(session.name);
    for (const [key, value] of decodeChanges(content)) {
      const inInbox = key.startsWith('inbox/');
      const before = values.get(key);
      if (value !== null) values.set(key, value);
      else values.delete(key);
      if (inInbox && value !== null) this.#hold(session.name, decodeHappening(value));
      if (inInbox && value === null && before !== undefined) this.#letGo(session, decodeHappening(before));
    }
  }

  #hold(session: string, happening: Happening): void {
    if (happening.kind === 'message' || happening.kind === 'receipt') {
      this.#held.add(`${session} ${happening.attrs.id}`);
    }
  }

  #letGo(session: JournalSession, happening: Happening): void {
    for (const event of eventsOf(happening, '')) {
      if (!this.#books.published.has(idOf(session, event))) {
        this.#books.breach('R6', `${session.name}: ${event.key} left the journal, the bus has not got it`);
      }
    }
  }

  #of(session: string): Map<string, Uint8Array> {
    const values = this.#values.get(session) ?? new Map<string, Uint8Array>();
    this.#values.set(session, values);
    return values;
  }
}
