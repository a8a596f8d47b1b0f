import type { StreamTask } from '../contracts/event-stream.ts';
import type { StreamRow } from '../contracts/rows.ts';

/** The open streams and how far each has come. Reads are strongly consistent. */
export interface StreamStore {
  /** Keeps a new stream; from its return on `readersOf` names it. @param cursors of sessions, as far as they are known */
  open(stream: StreamRow, cursors: ReadonlyMap<string, number>): Promise<void>;
  get(connectionId: string): Promise<StreamRow | undefined>;
  /** Changes a stream that is still there. Null takes a field away. */
  update(connectionId: string, change: StreamChange): Promise<void>;
  /** Connections of streams that asked for this session or for all. */
  readersOf(session: string): Promise<readonly string[]>;
  /** The `seq` up to which a stream has a session's events. */
  cursor(connectionId: string, session: string): Promise<number | undefined>;
  moveCursor(connectionId: string, session: string, seq: number): Promise<void>;
  /** Forgets a stream; nothing happens when it is gone. */
  remove(connectionId: string): Promise<void>;
}

export interface StreamChange {
  readonly since?: null;
  readonly had?: StreamRow['had'];
  readonly start?: StreamRow['start'] | null;
  readonly slow?: StreamRow['slow'] | null;
  readonly heartbeatAt?: number;
}

/** What is to be done for streams, one after the other for each stream. */
export interface StreamQueue {
  /** @param cause tasks for one stream with the same cause are one */
  send(tasks: readonly { readonly task: StreamTask; readonly cause: string }[]): Promise<void>;
  /** Sends a task after some seconds, at most 900. */
  sendLater(task: StreamTask, seconds: number): Promise<void>;
}

/** The other ends of the streams. */
export interface StreamSockets {
  /**
   * `busy`: the other end does not read as fast as it is written to, nothing was sent. `gone`: there is no such connection.
   * @throws DependencyError for everything else
   */
  post(stream: StreamRow, text: string): Promise<'sent' | 'busy' | 'gone'>;
  close(stream: StreamRow): Promise<void>;
}
