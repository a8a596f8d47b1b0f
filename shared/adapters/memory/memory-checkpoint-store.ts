import type { SessionRow } from '../../contracts/rows.ts';
import { ConflictError, NotFoundError } from '../../domain/errors.ts';
import type { Checkpoint, CheckpointStore } from '../../ports/state-store.ts';
import { checkpointKey, checkpointPrefix, prunableKeys } from '../checkpoint-key.ts';

export class MemoryCheckpointStore implements CheckpointStore {
  readonly #objects = new Map<string, Uint8Array>();

  /** @throws ConflictError when other bytes are already there */
  async put(session: SessionRow, lsn: number, epoch: number, body: Uint8Array): Promise<Checkpoint> {
    const key = checkpointKey(session, lsn, epoch);
    const known = this.#objects.get(key);
    if (known !== undefined && Buffer.compare(known, body) !== 0) {
      throw new ConflictError('Another checkpoint is already at this position');
    }
    this.#objects.set(key, Uint8Array.from(body));
    return { key, lsn, epoch };
  }

  async get(checkpoint: Checkpoint): Promise<Uint8Array> {
    const body = this.#objects.get(checkpoint.key);
    if (body === undefined) throw new NotFoundError('The checkpoint does not exist');
    return Uint8Array.from(body);
  }

  async prune(session: SessionRow, keep: number): Promise<void> {
    const prefix = checkpointPrefix(session);
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix));
    for (const key of prunableKeys(keys, keep, session.checkpoint?.key)) this.#objects.delete(key);
  }
}
