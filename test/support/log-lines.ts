import { Writable } from 'node:stream';

/** What loggers have written, line by line. */
export class LogLines extends Writable {
  readonly texts: string[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.texts.push(String(chunk));
    done();
  }

  get parsed(): readonly Record<string, unknown>[] {
    return this.texts.map((text) => JSON.parse(text));
  }
}
