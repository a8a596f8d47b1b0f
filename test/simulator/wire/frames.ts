import { WireError } from './wire-error.ts';

/** What a client sends before its first frame, and what both sides mix into the handshake: "WA", version 6, dictionary 3. */
export const CONNECTION_HEADER = Buffer.from([0x57, 0x41, 6, 3]);

const ROUTING_HEADER = Buffer.from([0x45, 0x44, 0, 1]);
const LENGTH_BYTES = 3;
const MAX_FRAME_BYTES = 0xffffff;

/** Puts the 24 bit length before a payload. */
export function encodeFrame(payload: Buffer): Buffer {
  if (payload.length > MAX_FRAME_BYTES) throw new WireError(`a frame of ${payload.length} bytes is too long`);
  const frame = Buffer.alloc(LENGTH_BYTES + payload.length);
  frame.writeUIntBE(payload.length, 0, LENGTH_BYTES);
  payload.copy(frame, LENGTH_BYTES);
  return frame;
}

/**
 * Cuts the byte stream of a client into frames: an optional routing intro, the connection header, then frames. Where one
 * websocket message ends and the next begins means nothing.
 */
export class ClientFrames {
  #chunks: Buffer[] = [];
  #buffered = 0;
  #needed = CONNECTION_HEADER.length;
  #started = false;
  #frame: Buffer | undefined;
  #routingInfo: Buffer | undefined;

  /** The routing info that the client was given on an earlier connection, if it sent any. */
  get routingInfo(): Buffer | undefined {
    return this.#routingInfo;
  }

  /**
   * Takes in bytes and yields the frames they complete, one at a time.
   * @throws WireError when the connection does not start with the right header.
   */
  *push(chunk: Buffer): Generator<Buffer> {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    while (this.#buffered >= this.#needed) {
      const [first] = this.#chunks;
      const input = first && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
      const consumed = this.#started ? this.#readFrame(input) : this.#readIntro(input);
      this.#chunks = [input.subarray(consumed)];
      this.#buffered = input.length - consumed;
      if (this.#frame) yield this.#frame;
      this.#frame = undefined;
    }
  }

  #readIntro(input: Buffer): number {
    const start = input.subarray(0, CONNECTION_HEADER.length);
    if (start.equals(CONNECTION_HEADER)) {
      this.#started = true;
      this.#needed = LENGTH_BYTES;
      return start.length;
    }
    if (this.#routingInfo || !start.equals(ROUTING_HEADER)) {
      throw new WireError('the connection does not start with the header WA 6 3');
    }
    const infoStart = ROUTING_HEADER.length + LENGTH_BYTES;
    const infoEnd = infoStart + (input.length < infoStart ? 0 : input.readUIntBE(ROUTING_HEADER.length, LENGTH_BYTES));
    this.#needed = infoEnd;
    if (input.length < infoEnd) return 0;
    this.#routingInfo = Buffer.from(input.subarray(infoStart, infoEnd));
    this.#needed = CONNECTION_HEADER.length;
    return infoEnd;
  }

  #readFrame(input: Buffer): number {
    const end = LENGTH_BYTES + input.readUIntBE(0, LENGTH_BYTES);
    this.#needed = end;
    if (input.length < end) return 0;
    this.#needed = LENGTH_BYTES;
    this.#frame = input.subarray(LENGTH_BYTES, end);
    return end;
  }
}
