import PQueue from 'p-queue';
import type { Metadata } from 'sharp';
import { decodablePicture } from './decodable-picture.ts';

/** What a message says of its picture, so that it can be shown before it is fetched. Sizes in pixels, as it is shown. */
export interface Preview {
  /** Base64; empty where there is none. */
  readonly jpegThumbnail: string;
  readonly width?: number;
  readonly height?: number;
}

/** Pictures above these get no preview. */
export interface PreviewLimits {
  readonly pixels: number;
  /** Of a picture that cannot be read line by line. */
  readonly bytes: number;
}

const LIMITS: PreviewLimits = { pixels: 40_000_000, bytes: 80_000_000 };
const AT_ONCE = 2;
const LONGEST_SIDE = 16_384;
const PREVIEW_SIDE = 48;
const PREVIEW_QUALITY = 50;
const SECONDS = 10;

/**
 * Makes previews of pictures that are to be sent, over all sessions of a host. Whoever sends a picture decides what it takes to
 * decode it: a file of a few hundred kilobytes may fill gigabytes. So what is too much goes without a preview.
 */
export class PicturePreviews {
  readonly #queue = new PQueue({ concurrency: AT_ONCE });
  readonly #make: (body: Buffer) => Promise<Preview>;

  constructor(make: (body: Buffer) => Promise<Preview> = previewOf) {
    this.#make = make;
  }

  async of(body: Buffer): Promise<Preview> {
    return await this.#queue.add(() => this.#make(body));
  }
}

/** Never rejects: what cannot be read is sent as it is. */
export async function previewOf(body: Buffer, limits: PreviewLimits = LIMITS): Promise<Preview> {
  const picture = decodablePicture(body);
  if (picture === undefined) return { jpegThumbnail: '' };
  // A host that sends no pictures does not load it.
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  try {
    const header = await sharp(picture, { limitInputPixels: false }).metadata();
    const { width, height } = header.autoOrient;
    if (!isWithin(limits, header)) return { jpegThumbnail: '', width, height };
    const thumbnail = await sharp(picture, { limitInputPixels: limits.pixels, sequentialRead: true })
      .timeout({ seconds: SECONDS })
      .autoOrient()
      .resize(PREVIEW_SIDE, PREVIEW_SIDE, { fit: 'inside', withoutEnlargement: true })
      .jpeg({ quality: PREVIEW_QUALITY })
      .toBuffer();
    return { jpegThumbnail: thumbnail.toString('base64'), width, height };
  } catch {
    return { jpegThumbnail: '' };
  }
}

function isWithin({ pixels, bytes }: PreviewLimits, header: Metadata): boolean {
  const { width, height } = header;
  return Math.max(width, height) <= LONGEST_SIDE && width * height <= pixels && width * height * held(header) <= bytes;
}

/** Bytes that a decoder holds for each pixel of the whole picture; none for what it reads line by line. */
function held({ format, channels, depth, isProgressive }: Metadata): number {
  if (format === 'webp') return 4;
  if (!isProgressive) return 0;
  // Of a JPEG in passes all coefficients are kept until the last pass.
  return channels * (format === 'jpeg' || depth === 'ushort' ? 2 : 1);
}
