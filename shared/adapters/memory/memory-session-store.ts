import { type SessionRow, sessionRowSchema } from '../../contracts/rows.ts';
import { ConflictError, NotFoundError, NotOwnerError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SessionIntent, SessionReport, SessionStore } from '../../ports/session-store.ts';
import { systemClock } from '../system-clock.ts';

export class MemorySessionStore implements SessionStore {
  readonly #rows = new Map<string, SessionRow>();
  readonly #clock: Clock;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  async create(row: SessionRow): Promise<void> {
    if (this.#rows.has(row.name)) throw new ConflictError(`Session '${row.name}' already exists`);
    this.#rows.set(row.name, sessionRowSchema.parse(structuredClone(row)));
  }

  async get(name: string): Promise<SessionRow | undefined> {
    return structuredClone(this.#rows.get(name));
  }

  async list(): Promise<readonly SessionRow[]> {
    return structuredClone([...this.#rows.values()]);
  }

  async listByShard(shard: string): Promise<readonly SessionRow[]> {
    return structuredClone([...this.#rows.values()].filter((row) => row.shard === shard));
  }

  async countByShard(shard: string): Promise<number> {
    return [...this.#rows.values()].filter((row) => row.shard === shard).length;
  }

  async intend(name: string, incarnation: string, intent: SessionIntent): Promise<SessionRow> {
    const row = this.#rows.get(name);
    if (row?.incarnation !== incarnation) throw new NotFoundError(`Session '${name}' does not exist`);
    return structuredClone(this.#change(row, intent));
  }

  async report(name: string, incarnation: string, epoch: number, report: SessionReport): Promise<void> {
    const row = this.#owned(name, incarnation, epoch);
    if ((report.checkpoint?.lsn ?? Number.MAX_SAFE_INTEGER) < (row.checkpoint?.lsn ?? 0)) throw lostOwnership(name);
    const { statusReason, ...fields } = report;
    const { statusReason: reasonBefore, ...rest } = row;
    const reason = statusReason === undefined ? reasonBefore : (statusReason ?? undefined);
    this.#change({ ...rest, ...(reason !== undefined && { statusReason: reason }), epoch }, fields);
  }

  async remove(name: string, incarnation: string, epoch: number): Promise<void> {
    this.#owned(name, incarnation, epoch);
    this.#rows.delete(name);
  }

  #owned(name: string, incarnation: string, epoch: number): SessionRow {
    const row = this.#rows.get(name);
    if (row === undefined || row.incarnation !== incarnation || row.epoch > epoch) {
      throw lostOwnership(name);
    }
    return row;
  }

  #change(row: SessionRow, fields: object): SessionRow {
    const given = Object.entries(fields).filter(([, value]) => value !== undefined);
    const changed = sessionRowSchema.parse(
      structuredClone({ ...row, ...Object.fromEntries(given), updatedAt: this.#clock.now() }),
    );
    this.#rows.set(row.name, changed);
    return changed;
  }
}

function lostOwnership(name: string): NotOwnerError {
  return new NotOwnerError(`Session '${name}' has another owner, or is gone`);
}
