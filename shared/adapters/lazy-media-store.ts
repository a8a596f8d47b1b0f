import type { S3Client } from '@aws-sdk/client-s3';
import type { MediaStore, StoredMedia } from '../ports/media-store.ts';

/**
 * A media store that is loaded when it is first used: the client of S3 is a third of what a function loads, and most
 * functions never ask for it.
 */
export class LazyMediaStore implements MediaStore {
  readonly bucket: string;
  readonly #load: (bucket: string) => Promise<MediaStore>;
  #store: Promise<MediaStore> | undefined;

  constructor(bucket: string, load: (bucket: string) => Promise<MediaStore>) {
    this.bucket = bucket;
    this.#load = load;
  }

  async put(...args: Parameters<MediaStore['put']>): Promise<void> {
    await (await this.#loaded()).put(...args);
  }

  async get(key: string): Promise<StoredMedia> {
    return await (await this.#loaded()).get(key);
  }

  async exists(key: string): Promise<boolean> {
    return await (await this.#loaded()).exists(key);
  }

  async presignedUrl(key: string, seconds: number): Promise<string> {
    return await (await this.#loaded()).presignedUrl(key, seconds);
  }

  async deleteSome(prefix: string): Promise<boolean> {
    return await (await this.#loaded()).deleteSome(prefix);
  }

  #loaded(): Promise<MediaStore> {
    this.#store ??= this.#load(this.bucket);
    return this.#store;
  }
}

/** @returns loads S3's client, unless there is one, and the store over it */
export function loadS3MediaStore({
  pathStyle,
  client,
}: {
  readonly pathStyle: boolean;
  readonly client?: S3Client | undefined;
}): (bucket: string) => Promise<MediaStore> {
  return async (bucket) => {
    const { createS3Client } = await import('./s3-client.ts');
    const { S3MediaStore } = await import('./s3-media-store.ts');
    return new S3MediaStore(client ?? createS3Client(pathStyle), bucket);
  };
}
