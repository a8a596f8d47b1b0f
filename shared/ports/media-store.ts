export interface StoredMedia {
  readonly body: Uint8Array;
  readonly mimetype: string;
}

/** The media bucket. Keys: `out/{session}/{jobId}` for media to send, `files/{session}/{name}` for received media. */
export interface MediaStore {
  readonly bucket: string;
  put(key: string, body: Uint8Array, mimetype: string, filename?: string): Promise<void>;
  /** @throws NotFoundError */
  get(key: string): Promise<StoredMedia>;
  exists(key: string): Promise<boolean>;
  /** A URL that gives the object to whoever has it, for `seconds`. */
  presignedUrl(key: string, seconds: number): Promise<string>;
}
