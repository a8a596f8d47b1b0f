import PQueue from 'p-queue';

/** A file that says it is no larger is held to that. */
const SMALL_BYTES = 8 * 1024 * 1024;
const LARGE_AT_ONCE = 2;

/**
 * Downloads of received media, over all sessions of a host. A file is in memory twice while it is put together: many small ones at
 * once, and two of the others, which may be as large as is allowed.
 */
export class MediaQueue {
  readonly #small: PQueue;
  readonly #large = new PQueue({ concurrency: LARGE_AT_ONCE });

  /** @param smallAtOnce small files at once */
  constructor(smallAtOnce: number) {
    this.#small = new PQueue({ concurrency: smallAtOnce });
  }

  /**
   * @param bytes what the message says of the file's size; 0 when it says nothing
   * @param maxBytes what is allowed at all
   * @param download is told what this file may have
   */
  async add<T>(bytes: number, maxBytes: number, download: (maxBytes: number) => Promise<T>): Promise<T> {
    const isSmall = bytes > 0 && bytes <= SMALL_BYTES;
    const queue = isSmall ? this.#small : this.#large;
    return await queue.add(() => download(isSmall ? Math.min(SMALL_BYTES, maxBytes) : maxBytes));
  }
}
