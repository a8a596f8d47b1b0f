import { ALL_SESSIONS } from '../../contracts/event-stream.ts';
import type { StreamRow } from '../../contracts/rows.ts';
import type { StreamChange, StreamStore } from '../../ports/event-stream.ts';

export class MemoryStreamStore implements StreamStore {
  readonly #streams = new Map<string, StreamRow>();
  readonly #cursors = new Map<string, Map<string, number>>();

  async open(stream: StreamRow, cursors: ReadonlyMap<string, number>): Promise<void> {
    this.#cursors.set(stream.connectionId, new Map(cursors));
    this.#streams.set(stream.connectionId, structuredClone(stream));
  }

  async get(connectionId: string): Promise<StreamRow | undefined> {
    return structuredClone(this.#streams.get(connectionId));
  }

  async update(connectionId: string, change: StreamChange): Promise<void> {
    const stream = this.#streams.get(connectionId);
    if (stream === undefined) return;
    const { since, start: startBefore, slow: slowBefore, ...rest } = stream;
    const start = change.start === undefined ? startBefore : (change.start ?? undefined);
    const slow = change.slow === undefined ? slowBefore : (change.slow ?? undefined);
    this.#streams.set(connectionId, {
      ...rest,
      ...(since !== undefined && change.since !== null && { since }),
      ...(change.had !== undefined && { had: change.had }),
      ...(start !== undefined && { start }),
      ...(slow !== undefined && { slow }),
      ...(change.heartbeatAt !== undefined && { heartbeatAt: change.heartbeatAt }),
    });
  }

  async readersOf(session: string): Promise<readonly string[]> {
    const streams = [...this.#streams.values()];
    return streams.flatMap(({ connectionId, sessions }) =>
      sessions.includes(session) || sessions.includes(ALL_SESSIONS) ? [connectionId] : [],
    );
  }

  async cursor(connectionId: string, session: string): Promise<number | undefined> {
    return this.#cursors.get(connectionId)?.get(session);
  }

  async moveCursor(connectionId: string, session: string, seq: number): Promise<void> {
    const cursors = this.#cursors.get(connectionId) ?? new Map<string, number>();
    this.#cursors.set(connectionId, cursors.set(session, seq));
  }

  async remove(connectionId: string): Promise<void> {
    this.#streams.delete(connectionId);
    this.#cursors.delete(connectionId);
  }
}
