import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { PicturePreviews, previewOf } from './picture-preview.ts';

const drawn = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: 'teal' } });

describe('a preview', () => {
  it.each([
    ['JPEG', drawn(300, 200).jpeg()],
    ['JPEG in passes', drawn(300, 200).jpeg({ progressive: true })],
    ['PNG', drawn(300, 200).png()],
    ['interlaced PNG', drawn(300, 200).png({ progressive: true })],
    ['WebP', drawn(300, 200).webp()],
  ])('is a small JPEG of a %s, with its size', async (_, picture) => {
    const { jpegThumbnail, ...size } = await previewOf(await picture.toBuffer());
    expect(size).toEqual({ width: 300, height: 200 });
    const small = await sharp(Buffer.from(jpegThumbnail, 'base64')).metadata();
    expect(small).toMatchObject({ format: 'jpeg', width: 48, height: 32 });
  });

  it('stands as the picture is shown', async () => {
    const lying = await drawn(300, 200).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const { jpegThumbnail, ...size } = await previewOf(lying);
    expect(size).toEqual({ width: 200, height: 300 });
    const small = await sharp(Buffer.from(jpegThumbnail, 'base64')).metadata();
    expect(small).toMatchObject({ width: 32, height: 48 });
  });

  it('is no larger than the picture, and never long', async () => {
    const size = async (width: number, height: number) => {
      const { jpegThumbnail } = await previewOf(await drawn(width, height).png().toBuffer());
      const { width: w, height: h } = await sharp(Buffer.from(jpegThumbnail, 'base64')).metadata();
      return [w, h];
    };
    expect(await size(5, 4)).toEqual([5, 4]);
    expect(await size(1, 16_000)).toEqual([1, 48]);
  });
});

describe('no preview, but the size,', () => {
  const limits = { pixels: 10_000, bytes: 20_000 };
  const without = { jpegThumbnail: '', width: 100, height: 100 };
  const some = { jpegThumbnail: expect.stringMatching(/./), width: 100, height: 100 };

  it('is made of what has too many pixels', async () => {
    const picture = await drawn(100, 100).png().toBuffer();
    expect(await previewOf(picture, limits)).toEqual(some);
    expect(await previewOf(picture, { ...limits, pixels: 9_999 })).toEqual(without);
  });

  it.each([
    ['an interlaced PNG', drawn(100, 100).png({ progressive: true }), 30_000],
    ['one of 16 bits', drawn(100, 100).toColourspace('rgb16').png({ progressive: true }), 60_000],
    ['one with an alpha channel', drawn(100, 100).ensureAlpha(0.5).png({ progressive: true }), 40_000],
    ['a JPEG in passes', drawn(100, 100).jpeg({ progressive: true }), 60_000],
    ['a WebP', drawn(100, 100).webp(), 40_000],
  ])('is made of %s that has to be decoded as a whole, and is too much', async (_, picture, bytes) => {
    const body = await picture.toBuffer();
    expect(await previewOf(body, { ...limits, bytes })).toEqual(some);
    expect(await previewOf(body, { ...limits, bytes: bytes - 1 })).toEqual(without);
  });

  it('is made of lines that are too long', async () => {
    const wide = await drawn(16_385, 1).png().toBuffer();
    expect(await previewOf(wide)).toEqual({ jpegThumbnail: '', width: 16_385, height: 1 });
  });

  it('is made of a picture that is cut off', async () => {
    const picture = await drawn(300, 200).jpeg().toBuffer();
    expect((await previewOf(picture.subarray(0, picture.length / 2))).jpegThumbnail).toBe('');
    expect(await previewOf(Buffer.from('ffd8ff00', 'hex'))).toEqual({ jpegThumbnail: '' });
  });

  it('is made of what is no picture', async () => {
    expect(await previewOf(Buffer.from('hello'))).toEqual({ jpegThumbnail: '' });
  });
});

it('are made two at a time', async () => {
  const ends: (() => void)[] = [];
  const previews = new PicturePreviews(async () => {
    await new Promise<void>((resolve) => ends.push(resolve));
    return { jpegThumbnail: '' };
  });
  const made = Promise.all([1, 2, 3].map(() => previews.of(Buffer.alloc(0))));
  await vi.waitFor(() => expect(ends).toHaveLength(2));
  ends.shift()?.();
  await vi.waitFor(() => expect(ends).toHaveLength(2));
  for (const end of ends) end();
  expect(await made).toHaveLength(3);
});
