/** A file that says it is no larger is held to that. */
export const SMALL_BYTES = 8 * 1024 * 1024;

/** There was no room in memory for as long as one may wait for it. */
export class NoRoomError extends Error {}

/** Bytes of files in memory at once: of small ones, and of the others. */
export interface MediaQueueLimits {
  readonly small: number;
  readonly large: number;
}

/**
 * Files in memory, over all sessions of a host: received ones, or those that are sent. First come, first served; small ones
 * do not wait for large ones. (For a moment a file can be in memory twice, when its length was not known.)
 */
export class MediaQueue {
  readonly #small: Lane;
  readonly #large: Lane;

  constructor({ small, large }: MediaQueueLimits) {
    this.#small = new Lane(small);
    this.#large = new Lane(large);
  }

  /**
   * Waits until there is room.
   *
   * @param bytes that the file has at most
   * @param patience aborted when it is not worth waiting any more
   * @returns gives the room back, once
   * @throws NoRoomError
   */
  hold(bytes: number, patience?: AbortSignal): Promise<() => void> {
    return (bytes <= SMALL_BYTES ? this.#small : this.#large).hold(bytes, patience);
  }

  /**
   * @param bytes what the message says of the file's size; 0 when it says nothing
   * @param maxBytes what is allowed at all
   * @param download is told what this file may have
   */
  async add<T>(bytes: number, maxBytes: number, download: (maxBytes: number) => Promise<T>): Promise<T> {
    const isSmall = bytes > 0 && bytes <= SMALL_BYTES;
    const most = isSmall ? Math.min(SMALL_BYTES, maxBytes) : maxBytes;
    const release = await this.hold(most);
    try {
      return await download(most);
    } finally {
      release();
    }
  }
}

class Lane {
  readonly #bytes: number;
  readonly #waiting: { readonly bytes: number; readonly enter: () => void }[] = [];
  #held = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  async hold(bytes: number, patience?: AbortSignal): Promise<() => void> {
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(new NoRoomError());
        // It may have kept back smaller ones.
        this.#admit();
      };
      const enter = () => {
        patience?.removeEventListener('abort', leave);
        resolve();
      };
      const waiting = { bytes, enter };
      this.#waiting.push(waiting);
      patience?.addEventListener('abort', leave, { once: true });
      if (patience?.aborted) leave();
      else this.#admit();
    });
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#held -= bytes;
      this.#admit();
    };
  }

  #admit(): void {
    for (let first = this.#waiting[0]; first !== undefined && this.#fits(first.bytes); first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#held += first.bytes;
      first.enter();
    }
  }

  /** What is larger than the lane goes alone. */
  #fits(bytes: number): boolean {
    return this.#held === 0 || this.#held + bytes <= this.#bytes;
  }
}
