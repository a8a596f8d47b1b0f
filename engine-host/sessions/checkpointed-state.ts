import { NotOwnerError } from '#shared/domain/errors.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { Checkpoint } from '#shared/ports/state-store.ts';
import type { Mark, SessionState, StateChange } from '../engines/engine.ts';
import { isLost, type ShardLease, whileOwned } from '../host/lease.ts';
import { encodeState } from './state-codec.ts';

export interface CheckpointedStateOptions {
  readonly lease: ShardLease;
  readonly clock: Clock;
  /** Least time in milliseconds between two saves that nobody waits for. */
  readonly interval: number;
  /** Stores an object; repeated for the same `lsn` only with the same content. */
  readonly store: (lsn: number, body: Uint8Array) => Promise<Checkpoint>;
  /** Makes the object the session's newest checkpoint. */
  readonly point: (checkpoint: Checkpoint) => Promise<void>;
  readonly prune: (keep: number) => Promise<void>;
  readonly onFailure: (error: unknown, attempt: number) => void;
  /** Called once when the state turns out to be somebody else's. */
  readonly onFenced: (error: NotOwnerError) => void;
}

interface Waiter {
  readonly mark: Mark;
  resolve(): void;
  reject(error: Error): void;
}

const KEPT = 3;
const SAVES_BETWEEN_PRUNES = 20;

/**
 * A session's state in memory, made durable as whole checkpoints. One save is under way at a time; changes that come
 * meanwhile ride in the next one.
 */
export class CheckpointedState implements SessionState {
  readonly #options: CheckpointedStateOptions;
  readonly #values: Map<string, Uint8Array>;
  readonly #waiters: Waiter[] = [];
  #head: Mark;
  #saved: Mark;
  #saving: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastSave = Number.NEGATIVE_INFINITY;
  #saves = 0;
  #closed: NotOwnerError | undefined;

  /** @param values becomes the state's own; @param lsn mark of the checkpoint it was read from */
  constructor(values: Map<string, Uint8Array>, lsn: number, options: CheckpointedStateOptions) {
    this.#values = values;
    this.#head = lsn;
    this.#saved = lsn;
    this.#options = options;
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
    for (const { key, value } of changes) {
      if (value === null) this.#values.delete(key);
      else this.#values.set(key, Uint8Array.from(value));
    }
    this.#head += 1;
    this.#schedule();
    return this.#head;
  }

  durable(mark: Mark): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (mark <= this.#saved) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ mark, resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves when everything appended so far is durable. @throws NotOwnerError as `durable` */
  flush(): Promise<void> {
    return this.durable(this.#head);
  }

  /** Deletes everything but the keys that outlive a login (`meta/…`), durably, and with it the older checkpoints. */
  async forgetLogin(): Promise<void> {
    const login = [...this.#values.keys()].filter((key) => !key.startsWith('meta/'));
    await this.durable(this.append(login.map((key) => ({ key, value: null }))));
    await this.#prune(1);
  }

  /** Ends it after a last flush. Never rejects: a state that has been lost is closed all the same. */
  async close(): Promise<void> {
    await this.flush().catch(() => {});
    if (this.#saves > 0 && this.#closed === undefined) await this.#prune(KEPT);
    this.fence(new NotOwnerError('The state is closed'));
  }

  /** Ends it at once, without a save; whoever waits gets the error. */
  fence(error: NotOwnerError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    clearTimeout(this.#timer);
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  #schedule(): void {
    if (this.#closed !== undefined || this.#saving !== undefined || this.#saved === this.#head) return;
    const { clock, interval } = this.#options;
    const wait = this.#waiters.length > 0 ? 0 : this.#lastSave + interval - clock.monotonic();
    if (wait > 0) {
      this.#timer ??= setTimeout(() => this.#begin(), wait);
      return;
    }
    this.#begin();
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#closed !== undefined || this.#saving !== undefined) return;
    // Not before the turn is over: what the same turn appends belongs into the same save.
    this.#saving = Promise.resolve()
      .then(() => this.#save())
      .catch((error: unknown) => this.#giveUp(error))
      .finally(() => {
        this.#saving = undefined;
        this.#schedule();
      });
  }

  async #save(): Promise<void> {
    const { lease, clock, store, point, onFailure } = this.#options;
    this.#lastSave = clock.monotonic();
    const lsn = this.#head;
    const body = await encodeState(this.#values);
    const stored = () => {
      lease.assertOwned();
      return store(lsn, body);
    };
    await point(await whileOwned(lease, stored, onFailure));
    this.#saved = lsn;
    this.#saves += 1;
    for (const waiter of this.#waiters.splice(0)) {
      if (waiter.mark <= lsn) waiter.resolve();
      else this.#waiters.push(waiter);
    }
    if (this.#saves % SAVES_BETWEEN_PRUNES === 0) void this.#prune(KEPT);
  }

  #giveUp(error: unknown): void {
    const already = this.#closed !== undefined;
    const fenced = isLost(error) ? error : new NotOwnerError('The state can no longer be saved', { cause: error });
    this.fence(fenced);
    if (!already) this.#options.onFenced(fenced);
  }

  /** Old checkpoints cost only storage: a failure is counted and the next time does it. */
  async #prune(keep: number): Promise<void> {
    try {
      this.#options.lease.assertOwned();
      await this.#options.prune(keep);
    } catch (error) {
      this.#options.onFailure(error, 1);
    }
  }
}
