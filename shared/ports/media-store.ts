export interface StoredMedia {
  readonly body: Uint8Array;
  readonly mimetype: string;
}

/** The media bucket. Its keys: `contracts/media-keys.ts`. */
export interface MediaStore {
  readonly bucket: string;
  put(key: string, body: Uint8Array, mimetype: string, filename?: string): Promise<void>;
  /** @throws NotFoundError */
  get(key: string): Promise<StoredMedia>;
  exists(key: string): Promise<boolean>;
  /** A URL that gives the object to whoever has it, for `seconds`. */
  presignedUrl(key: string, seconds: number): Promise<string>;
  /**
   * Deletes up to 1,000 of the objects whose keys begin with `prefix`.
   * @returns whether there may be more; @throws DependencyError when some could not be deleted
   */
  deleteSome(prefix: string): Promise<boolean>;
}
