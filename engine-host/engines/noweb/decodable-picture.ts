/** WhatsApp takes no larger picture from a phone. */
const MOST_BYTES = 16 * 1024 * 1024;
const MOST_CHUNKS = 10_000;
const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const PNG_OVERHEAD = 12;
/** What the pixels are made of. The rest may hold text that grows a thousandfold when it is read, and is read with the header. */
const PNG_PIXELS: ReadonlySet<string> = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);
const WEBP_ANIMATED = 0x02;

/**
 * What of a picture may be given to a decoder, which has its size checked then: of JPEG, PNG and WebP, as far as their form can
 * be trusted not to cost more than the pixels do. Undefined for everything else.
 */
export function decodablePicture(body: Buffer): Buffer | undefined {
  if (body.length > MOST_BYTES) return undefined;
  if (body.subarray(0, 3).equals(JPEG_SIGNATURE)) return body;
  if (body.subarray(0, PNG_SIGNATURE.length).equals(PNG_SIGNATURE)) return pngPixels(body);
  return isStillWebp(body) ? body : undefined;
}

const JPEG_SIGNATURE = Buffer.from('ffd8ff', 'hex');

function pngPixels(body: Buffer): Buffer | undefined {
  const kept = [body.subarray(0, PNG_SIGNATURE.length)];
  let bytes = PNG_SIGNATURE.length;
  let chunks = 0;
  for (let at = PNG_SIGNATURE.length; at + PNG_OVERHEAD <= body.length; chunks += 1) {
    if (chunks === MOST_CHUNKS) return undefined;
    const end = at + PNG_OVERHEAD + body.readUInt32BE(at);
    const chunk = body.subarray(at, end);
    if (PNG_PIXELS.has(chunk.toString('latin1', 4, 8))) {
      kept.push(chunk);
      bytes += chunk.length;
    }
    at = end;
  }
  return bytes === body.length ? body : Buffer.concat(kept, bytes);
}

/** Frames take a time that grows with the square of their number, to be counted. */
function isStillWebp(body: Buffer): boolean {
  if (body.length < 30 || body.toString('latin1', 0, 4) !== 'RIFF') return false;
  const kind = body.toString('latin1', 8, 16);
  if (kind === 'WEBPVP8X') return (body.readUInt8(20) & WEBP_ANIMATED) === 0;
  return kind === 'WEBPVP8 ' || kind === 'WEBPVP8L';
}
