import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodablePicture } from './decodable-picture.ts';

const drawn = () => sharp({ create: { width: 9, height: 7, channels: 3, background: 'teal' } });
const png = await drawn().png().toBuffer();
/** Signature and IHDR. */
const PNG_HEAD = 33;

function chunk(type: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const checked = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(checked));
  return Buffer.concat([length, checked, sum]);
}

const pngWith = (...chunks: readonly Buffer[]) =>
  Buffer.concat([png.subarray(0, PNG_HEAD), ...chunks, png.subarray(PNG_HEAD)]);

describe('of a PNG', () => {
  it('is all of it where there are only pixels', () => {
    const bare = decodablePicture(png);
    expect(bare).toBeDefined();
    expect(bare && decodablePicture(bare)).toBe(bare);
  });

  it('is no text, which may grow when it is read, and nothing else that is not its pixels', async () => {
    const text = Buffer.concat([Buffer.from('Comment\0\0'), deflateSync(Buffer.alloc(1_000_000))]);
    const others = ['zTXt', 'iTXt', 'iCCP', 'eXIf', 'acTL', 'fdAT'].map((type) => chunk(type, text));
    const lean = decodablePicture(pngWith(...others));
    expect(lean).toEqual(decodablePicture(png));
    expect(await sharp(lean).metadata()).toMatchObject({ width: 9, height: 7 });
  });

  it('is its palette and what is transparent of it', async () => {
    const palette = await drawn().ensureAlpha(0.5).png({ palette: true }).toBuffer();
    expect(await sharp(decodablePicture(palette)).ensureAlpha().raw().toBuffer()).toEqual(
      await sharp(palette).ensureAlpha().raw().toBuffer(),
    );
  });

  it('is as much as there is of one that is cut off', () => {
    for (let length = 8; length < png.length; length += 1) {
      expect(decodablePicture(png.subarray(0, length))?.length).toBeLessThanOrEqual(length);
    }
  });

  it('is nothing when it has more parts than a picture has', () => {
    const parts = (count: number) => Array.from({ length: count }, () => chunk('IDAT'));
    expect(decodablePicture(pngWith(...parts(9_000)))).toBeDefined();
    expect(decodablePicture(pngWith(...parts(10_000)))).toBeUndefined();
  });
});

describe('of other pictures', () => {
  it('is all of a JPEG, and of a WebP', async () => {
    for (const picture of [
      await drawn().jpeg().toBuffer(),
      await drawn().webp().toBuffer(),
      await drawn().webp({ lossless: true }).toBuffer(),
      await drawn().ensureAlpha(0.5).webp().toBuffer(),
    ]) {
      expect(decodablePicture(picture)).toBe(picture);
    }
  });

  it('is nothing of a WebP that moves', async () => {
    const frames = await sharp([png, await drawn().negate().png().toBuffer()], { join: { animated: true } })
      .webp({ loop: 0, delay: [100, 100] })
      .toBuffer();
    expect((await sharp(frames).metadata()).pages).toBe(2);
    expect(decodablePicture(frames)).toBeUndefined();
  });

  it('is nothing of one that is larger than WhatsApp takes', async () => {
    const jpeg = await drawn().jpeg().toBuffer();
    const padded = (bytes: number) => Buffer.concat([jpeg, Buffer.alloc(bytes - jpeg.length)]);
    expect(decodablePicture(padded(16 * 1024 * 1024))).toBeDefined();
    expect(decodablePicture(padded(16 * 1024 * 1024 + 1))).toBeUndefined();
  });

  it('is nothing of anything else', async () => {
    for (const other of [
      Buffer.alloc(0),
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      await drawn().gif().toBuffer(),
      await drawn().tiff().toBuffer(),
      Buffer.from('RIFF....WEBP'),
      Buffer.from('%PDF-1.7'),
    ]) {
      expect(decodablePicture(other)).toBeUndefined();
    }
  });
});
