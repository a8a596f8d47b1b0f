/** A file whose server has answered, and of which nothing has been read. */
export interface RemoteFile {
  /** As the server said, without parameters; undefined when it said nothing. */
  readonly mimetype: string | undefined;
  readonly filename: string | undefined;
  /** The file's length as the server said, or what a file may have; `read` gives no more. */
  readonly mostBytes: number;
  /**
   * Once. The time until it is called does not count.
   *
   * @throws EngineError with reason `media-refused` (too large), DependencyError when it may work later
   */
  read(): Promise<Uint8Array>;
  /** Ends the connection. For whoever does not read; otherwise it does nothing. */
  close(): void;
}

/** The only way out to an address that a user gave. */
export interface RemoteFiles {
  /**
   * @throws EngineError with reason `media-refused` (address not allowed, too large, not http) or `media-missing` (4xx)
   * @throws DependencyError when it may work later (5xx, timeout)
   */
  open(url: string): Promise<RemoteFile>;
}
