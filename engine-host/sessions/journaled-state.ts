import { NotOwnerError } from '#shared/domain/errors.ts';
import type { Mark, SessionState, StateChange } from '../engines/engine.ts';
import { isLost, type ShardLease, whileOwned } from '../host/lease.ts';
import { settledWithin } from '../host/sleep.ts';
import { encodeChanges } from './journal-codec.ts';
import type { RestoredState } from './restore-state.ts';
import type { SessionCheckpoints } from './session-checkpoints.ts';
import type { SessionJournal } from './session-journal.ts';

export interface JournaledStateOptions {
  readonly lease: ShardLease;
  readonly journal: Pick<SessionJournal, 'prepare' | 'append'>;
  readonly checkpoints: Pick<SessionCheckpoints, 'save' | 'hasSaved' | 'prune' | 'end'>;
  /** Milliseconds after which changes that are only in the journal go into a checkpoint. */
  readonly checkpointInterval: number;
  readonly onFailure: (error: unknown, attempt: number) => void;
  /** Called once when the state turns out to be somebody else's. */
  readonly onFenced: (error: NotOwnerError) => void;
}

interface Waiter {
  readonly mark: Mark;
  resolve(): void;
  reject(error: Error): void;
}

/** What goes into one record: of every key the last value. */
interface Batch {
  readonly changes: Map<string, Uint8Array | null>;
  bytes: number;
  mark: Mark;
}

/** An item of DynamoDB holds 400 KB; a record must stay below also where nothing can be compressed. */
const MOST_BATCH_BYTES = 256 * 1024;
const RECORDS_PER_CHECKPOINT = 500;
const BYTES_PER_CHECKPOINT = 1024 * 1024;
/** The journal alone suffices for the next owner; it is only longer to read. */
const LAST_CHECKPOINT_PATIENCE_MS = 5_000;

/**
 * A session's state in memory with its journal behind it. One append is under way at a time; what comes meanwhile
 * rides in the next one. Marks count calls of `append`, positions in the journal count records.
 */
export class JournaledState implements SessionState {
  readonly #options: JournaledStateOptions;
  readonly #values: Map<string, Uint8Array>;
  readonly #waiters: Waiter[] = [];
  #pending: Batch[] = [];
  #head: Mark = 0;
  #durable: Mark = 0;
  #lsn: number;
  #since: { records: number; bytes: number };
  #writing: Promise<void> | undefined;
  #saving: Promise<void> | undefined;
  #wantsCheckpoint = false;
  #timer: NodeJS.Timeout | undefined;
  #closed: NotOwnerError | undefined;

  /** @param restored its values become the state's own */
  constructor(restored: RestoredState, options: JournaledStateOptions) {
    this.#values = restored.values;
    this.#lsn = restored.lsn;
    this.#since = { ...restored.since };
    this.#options = options;
    this.#keepTime();
  }

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  keys(prefix: string): readonly string[] {
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix));
  }

  get head(): Mark {
    return this.#head;
  }

  append(changes: readonly StateChange[]): Mark {
    if (changes.length === 0) return this.#head;
    this.#head += 1;
    const batch = this.#batchFor(changes);
    batch.mark = this.#head;
    for (const { key, value } of changes) {
      const copy = value === null ? null : Uint8Array.from(value);
      if (copy === null) this.#values.delete(key);
      else this.#values.set(key, copy);
      const before = batch.changes.get(key);
      batch.bytes += sizeOf(key, copy) - (before === undefined ? 0 : sizeOf(key, before));
      batch.changes.set(key, copy);
    }
    this.#write();
    return this.#head;
  }

  durable(mark: Mark): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (mark <= this.#durable) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ mark, resolve, reject });
    });
  }

  /** Resolves when everything appended so far is durable. @throws NotOwnerError as `durable` */
  flush(): Promise<void> {
    return this.durable(this.#head);
  }

  /**
   * Deletes everything but the keys that outlive a login (`meta/…`), durably, and with it what older checkpoints and
   * the journal hold of it. @throws NotOwnerError as `durable`
   */
  async forgetLogin(): Promise<void> {
    const login = [...this.#values.keys()].filter((key) => !key.startsWith('meta/'));
    this.append(login.map((key) => ({ key, value: null })));
    await this.#checkpoint();
    await this.#options.checkpoints.prune(1);
  }

  /** Ends it after a last flush and checkpoint. Never rejects: a state that has been lost is closed all the same. */
  async close(): Promise<void> {
    await this.flush().catch(() => {});
    await settledWithin(this.#checkpoint(), LAST_CHECKPOINT_PATIENCE_MS);
    const { checkpoints } = this.#options;
    if (this.#closed === undefined && checkpoints.hasSaved) await checkpoints.prune();
    this.fence(new NotOwnerError('The state is closed'));
  }

  /** Ends it at once, with nothing more written; whoever waits gets the error. */
  fence(error: NotOwnerError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#options.checkpoints.end();
    this.#pending = [];
    clearTimeout(this.#timer);
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  /** The batch that still takes these changes; the changes of one call are never divided. */
  #batchFor(changes: readonly StateChange[]): Batch {
    const bytes = changes.reduce((sum, { key, value }) => sum + sizeOf(key, value), 0);
    const last = this.#pending.at(-1);
    if (last !== undefined && last.bytes + bytes <= MOST_BATCH_BYTES) return last;
    const batch: Batch = { changes: new Map(), bytes: 0, mark: this.#head };
    if (this.#closed === undefined) this.#pending.push(batch);
    return batch;
  }

  #write(): void {
    if (this.#closed !== undefined || this.#writing !== undefined) return;
    this.#writing = this.#writeAll()
      .catch((error: unknown) => this.#giveUp(error))
      .finally(() => {
        this.#writing = undefined;
        if (this.#pending.length > 0) this.#write();
      });
  }

  async #writeAll(): Promise<void> {
    for (;;) {
      // Not before the turn is over: what the same turn appends belongs into the same record.
      await new Promise(setImmediate);
      if (this.#closed !== undefined) return;
      const batch = this.#pending.shift();
      // The values are what the journal says up to a record only where nothing is behind that record.
      const content = this.#isCheckpointDue && this.#pending.length === 0 ? encodeChanges(this.#values) : undefined;
      if (batch !== undefined) await this.#commit(batch);
      if (content !== undefined) this.#save(content);
      if (batch === undefined) return;
    }
  }

  async #commit(batch: Batch): Promise<void> {
    const { lease, journal, onFailure } = this.#options;
    const lsn = this.#lsn + 1;
    const prepare = () => journal.prepare(lsn, lease.epoch, 'changes', batch.changes);
    const prepared = await whileOwned(lease, prepare, onFailure);
    const append = async () => {
      if (this.#closed !== undefined) throw this.#closed;
      lease.assertOwned();
      return await journal.append(prepared);
    };
    const outcome = await whileOwned(lease, append, onFailure);
    if (outcome !== true)
      throw new NotOwnerError(`An owner with epoch ${outcome.takenUnder} goes on with the session's journal`);
    if (this.#closed !== undefined) throw this.#closed;
    this.#lsn = lsn;
    this.#since.records += 1;
    this.#since.bytes += prepared.bytes;
    this.#keepTime();
    this.#durable = batch.mark;
    for (const waiter of this.#waiters.splice(0)) {
      if (waiter.mark <= batch.mark) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }

  get #isCheckpointDue(): boolean {
    if (this.#saving !== undefined) return false;
    const { records, bytes } = this.#since;
    if (records >= RECORDS_PER_CHECKPOINT || bytes >= BYTES_PER_CHECKPOINT) return true;
    return this.#wantsCheckpoint;
  }

  #save(content: Uint8Array): void {
    this.#wantsCheckpoint = false;
    this.#since = { records: 0, bytes: 0 };
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#saving = this.#options.checkpoints
      .save(this.#lsn, content)
      .catch((error: unknown) => this.#giveUp(error))
      .finally(() => {
        this.#saving = undefined;
      });
  }

  /** Resolves when a checkpoint holds everything appended so far. @throws NotOwnerError */
  async #checkpoint(): Promise<void> {
    await this.flush();
    await this.#saving;
    while (this.#closed === undefined && this.#since.records > 0) {
      this.#wantsCheckpoint = true;
      this.#write();
      await this.#writing;
      await this.#saving;
    }
    if (this.#closed !== undefined) throw this.#closed;
  }

  /** Lets no change stay in the journal alone for longer than the interval. */
  #keepTime(): void {
    if (this.#timer !== undefined || this.#closed !== undefined || this.#since.records === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#wantsCheckpoint = true;
      this.#write();
    }, this.#options.checkpointInterval);
    this.#timer.unref();
  }

  #giveUp(error: unknown): void {
    if (this.#closed !== undefined) return;
    const fenced = isLost(error) ? error : new NotOwnerError('The state can no longer be saved', { cause: error });
    this.fence(fenced);
    this.#options.onFenced(fenced);
  }
}

function sizeOf(key: string, value: Uint8Array | null): number {
  return key.length + (value?.length ?? 0);
}
