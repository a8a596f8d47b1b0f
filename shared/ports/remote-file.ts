export interface RemoteFile {
  readonly body: Uint8Array;
  /** As the server said, without parameters; undefined when it said nothing. */
  readonly mimetype: string | undefined;
  readonly filename: string | undefined;
}

/** The only way out to an address that a user gave. */
export interface RemoteFiles {
  /**
   * @throws EngineError with reason `media-refused` (address not allowed, too large, not http) or `media-missing` (4xx)
   * @throws DependencyError when it may work later (5xx, timeout)
   */
  fetch(url: string): Promise<RemoteFile>;
}
