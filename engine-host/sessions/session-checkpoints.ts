import type { SessionRow } from '#shared/contracts/rows.ts';
import { NotOwnerError } from '#shared/domain/errors.ts';
import type { Clock } from '#shared/ports/clock.ts';
import type { DataKeyProvider } from '#shared/ports/data-keys.ts';
import type { Checkpoint, CheckpointStore } from '#shared/ports/state-store.ts';
import { type ShardLease, whileOwned } from '../host/lease.ts';
import { sealBody } from './sealed-body.ts';
import type { SessionJournal } from './session-journal.ts';

export interface SessionCheckpointsOptions {
  readonly row: SessionRow;
  readonly lease: ShardLease;
  readonly clock: Clock;
  readonly checkpoints: CheckpointStore;
  readonly dataKeys: DataKeyProvider;
  readonly journal: SessionJournal;
  /** Makes the object the session's newest checkpoint. @throws NotOwnerError when the row is somebody else's */
  readonly point: (checkpoint: Checkpoint) => Promise<void>;
  readonly onFailure: (error: unknown, attempt: number) => void;
}

const KEPT = 3;
const SAVES_BETWEEN_PRUNES = 10;

/** Writes a session's checkpoints and tidies up behind them. */
export class SessionCheckpoints {
  readonly #options: SessionCheckpointsOptions;
  #newest: Checkpoint | null;
  #saves = 0;
  #ended = false;

  constructor(options: SessionCheckpointsOptions) {
    this.#options = options;
    this.#newest = options.row.checkpoint;
  }

  /** Resolves when the session would be restored from it. @throws NotOwnerError; ConflictError */
  async save(lsn: number, content: Uint8Array): Promise<void> {
    const { row, lease, checkpoints, dataKeys, point, onFailure } = this.#options;
    const { epoch } = lease;
    const seal = () => sealBody(content, { kind: 'checkpoint', session: row, lsn, epoch }, dataKeys);
    const body = await whileOwned(lease, seal, onFailure);
    const store = async () => {
      this.#assertOpen();
      return await checkpoints.put(row, lsn, epoch, body);
    };
    const stored = await whileOwned(lease, store, onFailure);
    this.#assertOpen();
    await point(stored);
    this.#newest = stored;
    this.#saves += 1;
    await this.#tidy(() => this.#options.journal.retire(lsn, this.#options.clock.now()));
    if (this.#saves % SAVES_BETWEEN_PRUNES === 0) await this.prune();
  }

  /** Some have been saved since the state was opened. */
  get hasSaved(): boolean {
    return this.#saves > 0;
  }

  /** Deletes the checkpoints but the newest. */
  async prune(keep: number = KEPT): Promise<void> {
    const { row, checkpoints } = this.#options;
    await this.#tidy(() => checkpoints.prune({ ...row, checkpoint: this.#newest }, keep));
  }

  /** Writes nothing more. */
  end(): void {
    this.#ended = true;
  }

  /** What is left over costs only storage: a failure is counted and the next time does it. */
  async #tidy(work: () => Promise<void>): Promise<void> {
    try {
      this.#assertOpen();
      await work();
    } catch (error) {
      this.#options.onFailure(error, 1);
    }
  }

  #assertOpen(): void {
    if (this.#ended) throw new NotOwnerError('The state is closed');
    this.#options.lease.assertOwned();
  }
}
