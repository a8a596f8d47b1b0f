import { randomBytes } from 'node:crypto';
import type { DataKeyProvider } from '#shared/ports/data-keys.ts';
import type {
  AppendOutcome,
  JournalBodyStore,
  JournalRecord,
  JournalSession,
  JournalStore,
} from '#shared/ports/journal-store.ts';
import { CorruptStateError } from './corrupt-state-error.ts';
import { type Changes, decodeChanges, encodeChanges } from './journal-codec.ts';
import { openBody, sealBody } from './sealed-body.ts';

export interface JournalStores {
  readonly journal: JournalStore;
  readonly journalBodies: JournalBodyStore;
  readonly dataKeys: DataKeyProvider;
}

/** A record ready to be appended, as often as it takes. */
export interface PreparedRecord {
  readonly record: JournalRecord;
  /** What does not fit into the record. */
  readonly spilled: Uint8Array | undefined;
  /** Encrypted bytes in all. */
  readonly bytes: number;
}

/** A record as it was read. */
export interface ReadRecord {
  readonly lsn: number;
  readonly epoch: number;
  readonly kind: JournalRecord['kind'];
  readonly bytes: number;
  /** @throws CorruptStateError | NotFoundError */
  changes(): Promise<Changes>;
}

/** First byte of a record's body: the rest is the sealed body, or the sealed body is in the body store. */
const INLINE = 0;
const SPILLED = 1;
/** An item of DynamoDB holds 400 KB in all. */
const MOST_INLINE_BYTES = 300 * 1024;
const BATCH_ID_BYTES = 9;
const SEALS_STAY_SECONDS = 24 * 3600;

/** One session's journal: encodes, encrypts and stores. It knows nothing of ownership. */
export class SessionJournal {
  readonly #session: JournalSession;
  readonly #stores: JournalStores;
  /** There may be bodies outside. */
  #hasSpilled = false;

  constructor(session: JournalSession, stores: JournalStores) {
    this.#session = session;
    this.#stores = stores;
  }

  async prepare(lsn: number, epoch: number, kind: JournalRecord['kind'], changes: Changes): Promise<PreparedRecord> {
    const place = { kind, session: this.#session, lsn, epoch };
    const sealed = await sealBody(encodeChanges(changes), place, this.#stores.dataKeys);
    const fits = sealed.length <= MOST_INLINE_BYTES;
    const body = fits ? Buffer.concat([Buffer.of(INLINE), sealed]) : Buffer.of(SPILLED);
    const batchId = randomBytes(BATCH_ID_BYTES).toString('base64url');
    return {
      record: { lsn, epoch, batchId, kind, body },
      spilled: fits ? undefined : sealed,
      bytes: sealed.length,
    };
  }

  /** True when the record is in the journal, by this call or an earlier one; else whose record is in its place. */
  async append({ record, spilled }: PreparedRecord): Promise<true | { readonly takenUnder: number }> {
    if (spilled !== undefined) {
      this.#hasSpilled = true;
      await this.#stores.journalBodies.put(this.#session, record.lsn, record.epoch, spilled);
    }
    const outcome: AppendOutcome = await this.#stores.journal.append(this.#session, record);
    if (outcome.kind === 'appended' || outcome.batchId === record.batchId) return true;
    return { takenUnder: outcome.epoch };
  }

  async *read(fromLsn: number): AsyncGenerator<ReadRecord> {
    for await (const record of this.#stores.journal.read(this.#session, fromLsn)) {
      const { lsn, epoch, kind, body } = record;
      if (body[0] === SPILLED) this.#hasSpilled = true;
      yield { lsn, epoch, kind, bytes: body.length, changes: () => this.#open(record) };
    }
  }

  /** Deletes what a checkpoint at `lsn` has made superfluous. @param now milliseconds since 1970 */
  async retire(lsn: number, now: number): Promise<void> {
    await this.#stores.journal.retire(this.#session, lsn + 1, Math.ceil(now / 1000) + SEALS_STAY_SECONDS);
    if (this.#hasSpilled) await this.#stores.journalBodies.deleteBelow(this.#session, lsn + 1);
  }

  async #open({ lsn, epoch, kind, body }: JournalRecord): Promise<Changes> {
    const place = { kind, session: this.#session, lsn, epoch };
    const { journalBodies, dataKeys } = this.#stores;
    if (body[0] === INLINE) return decodeChanges(await openBody(body.subarray(1), place, dataKeys));
    if (body[0] !== SPILLED) throw new CorruptStateError('A journal record has an unknown form');
    return decodeChanges(await openBody(await journalBodies.get(this.#session, lsn, epoch), place, dataKeys));
  }
}

/** Deletes all that a session's journal consists of, and the keys of its bodies, wherever copies of those may be. */
export async function clearJournal(session: JournalSession, stores: JournalStores): Promise<void> {
  await stores.journal.clear(session);
  await stores.journalBodies.deleteBelow(session, Number.MAX_SAFE_INTEGER);
  await stores.dataKeys.forget(session);
}
