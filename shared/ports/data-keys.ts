import type { JournalSession } from './journal-store.ts';

/** A key for AES-256-GCM and what one needs to get it again. */
export interface DataKey {
  /** Stands readable in everything that the key encrypts; at most 255 bytes. Of no use without the master key. */
  readonly id: Uint8Array;
  /** 32 bytes. Never stored, never logged. */
  readonly key: Uint8Array;
}

/** Envelope encryption: data keys that only the holder of a master key can have. */
export interface DataKeyProvider {
  /**
   * The key to encrypt a session's bodies with now. Its owner asks anew for each body, so that keys can be renewed.
   * When it resolves, any other owner can find the key.
   * @throws DependencyError
   */
  current(session: JournalSession): Promise<DataKey>;
  /**
   * The key of one of the session's earlier bodies.
   * @throws NotFoundError when there is no such key (any more), or it was made under another master key; DependencyError
   */
  find(session: JournalSession, id: Uint8Array): Promise<Uint8Array>;
  /** Deletes what is stored for the session's keys, so that nobody reads its bodies again. @throws DependencyError */
  forget(session: JournalSession): Promise<void>;
}
