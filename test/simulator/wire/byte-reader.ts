import { WireError } from './wire-error.ts';

/** Reads a buffer from front to back; reading past its end is a WireError. */
export class ByteReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get remaining(): number {
    return this.#buffer.length - this.#at;
  }

  /** The next `count` bytes, as a view. */
  bytes(count: number): Buffer {
    if (count > this.remaining) throw new WireError(`${count} bytes announced, ${this.remaining} left`);
    this.#at += count;
    return this.#buffer.subarray(this.#at - count, this.#at);
  }

  byte(): number {
    return this.uint(1);
  }

  /** An unsigned big endian number of 1 to 6 bytes. */
  uint(size: number): number {
    return this.bytes(size).readUIntBE(0, size);
  }
}
