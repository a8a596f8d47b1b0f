/** Above this a file that says of itself what it likes is not taken apart: its tags may grow sixtyfold. */
const MOST_BYTES = 2 * 1024 * 1024;
const PAGE = 'OggS';
const PAGE_HEADER_BYTES = 27;
const OPUS_HEADER_BYTES = 19;
/** Whatever was recorded, positions in Opus are of so many samples a second. */
const SAMPLES_PER_SECOND = 48_000;
const LONGEST_SECONDS = 24 * 60 * 60;
const MOST_LOOKS = 16;

/**
 * How long audio is, in seconds, as its message says: for Opus, which is what voice messages are, from the first and the last page
 * alone. 0 when that is not to be known; undefined when Baileys may find it out.
 */
export function voiceSeconds(body: Buffer): number | undefined {
  const first = opusHeader(body);
  if (first === undefined) return body.length <= MOST_BYTES ? undefined : 0;
  for (let at = body.length, looks = 0; looks < MOST_LOOKS && at > 0; looks += 1) {
    at = body.lastIndexOf(PAGE, at - 1, 'latin1');
    if (at < 0) return 0;
    if (at + PAGE_HEADER_BYTES > body.length || body.readUInt32LE(at + 14) !== first.stream) continue;
    const samples = Number(body.readBigInt64LE(at + 6)) - first.skipped;
    const seconds = Math.round(samples / SAMPLES_PER_SECOND);
    if (samples >= 0 && seconds <= LONGEST_SECONDS) return seconds;
  }
  return 0;
}

function opusHeader(body: Buffer): { readonly stream: number; readonly skipped: number } | undefined {
  if (body.length < PAGE_HEADER_BYTES || body.toString('latin1', 0, 4) !== PAGE) return undefined;
  const start = PAGE_HEADER_BYTES + body.readUInt8(26);
  if (body.length < start + OPUS_HEADER_BYTES) return undefined;
  if (body.toString('latin1', start, start + 8) !== 'OpusHead') return undefined;
  return { stream: body.readUInt32LE(14), skipped: body.readUInt16LE(start + 10) };
}
