import { randomBytes } from 'node:crypto';

/** What begins like the format, and plays nowhere. */
export const oggOpus = (bytes = 3_000): Buffer =>
  Buffer.concat([Buffer.from('OggS'), Buffer.alloc(24), Buffer.from('OpusHead'), randomBytes(bytes)]);

/** What begins like the format, and plays nowhere. */
export const mp4 = (bytes = 3_000): Buffer =>
  Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypisom'), Buffer.alloc(12), randomBytes(bytes)]);

/** A picture of one pixel, in base64. */
export const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** What begins like the format; no decoder takes it. */
export const brokenJpeg = (): Buffer =>
  Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from('not a picture')]);
