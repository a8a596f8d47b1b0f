import { NotFoundError } from '../../domain/errors.ts';
import type { MediaStore, StoredMedia } from '../../ports/media-store.ts';

const PAGE = 1000;

export class MemoryMediaStore implements MediaStore {
  readonly bucket: string;
  readonly #objects = new Map<string, StoredMedia & { readonly filename: string | undefined }>();

  constructor(bucket = 'memory-media') {
    this.bucket = bucket;
  }

  async put(key: string, body: Uint8Array, mimetype: string, filename?: string): Promise<void> {
    this.#objects.set(key, { body: Uint8Array.from(body), mimetype, filename });
  }

  async get(key: string): Promise<StoredMedia> {
    const object = this.#objects.get(key);
    if (object === undefined) throw new NotFoundError('The file does not exist');
    return { body: Uint8Array.from(object.body), mimetype: object.mimetype };
  }

  async exists(key: string): Promise<boolean> {
    return this.#objects.has(key);
  }

  /** A `data:` URL: it gives the object to whoever has it, without a server. */
  async presignedUrl(key: string, _seconds: number): Promise<string> {
    const { body, mimetype } = await this.get(key);
    return `data:${mimetype};base64,${Buffer.from(body).toString('base64')}`;
  }

  async deleteSome(prefix: string): Promise<boolean> {
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix));
    for (const key of keys.slice(0, PAGE)) this.#objects.delete(key);
    return keys.length > PAGE;
  }

  /** Name under which an object was stored. */
  filename(key: string): string | undefined {
    return this.#objects.get(key)?.filename;
  }
}
