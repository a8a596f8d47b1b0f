/** A key for AES-256-GCM and what one needs to get it again. */
export interface DataKey {
  /** Stands readable in everything that the key encrypts; at most 255 bytes. Of no use without the master key. */
  readonly id: Uint8Array;
  /** 32 bytes. Never stored, never logged. */
  readonly key: Uint8Array;
}

/** Envelope encryption: data keys that only the holder of a master key can have. */
export interface DataKeyProvider {
  /** The key to encrypt with now. Its owner asks anew for each body, so that keys can be renewed. */
  current(): Promise<DataKey>;
  /**
   * The key of an earlier body.
   * @throws NotFoundError when the master key is not the one that it was made under
   */
  find(id: Uint8Array): Promise<Uint8Array>;
}
