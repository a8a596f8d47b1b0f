import { expect, it } from 'vitest';
import { voiceSeconds } from './voice-length.ts';

function page(stream: number, samples: bigint, data: Buffer): Buffer {
  const header = Buffer.alloc(28);
  header.write('OggS');
  header.writeBigInt64LE(samples, 6);
  header.writeUInt32LE(stream, 14);
  header[26] = 1;
  header[27] = data.length;
  return Buffer.concat([header, data]);
}

function opus(skipped: number, ...pages: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(19);
  head.write('OpusHead');
  head.writeUInt16LE(skipped, 10);
  return Buffer.concat([page(7, 0n, head), ...pages]);
}

const sound = Buffer.alloc(100, 1);

it('is where the last page of Opus ends, without what players skip', () => {
  expect(voiceSeconds(opus(0, page(7, 48_000n, sound), page(7, 144_000n, sound)))).toBe(3);
  expect(voiceSeconds(opus(48_000, page(7, 144_000n, sound)))).toBe(2);
  expect(voiceSeconds(opus(312))).toBe(0);
});

it('is not told by pages of something else, or by pages on which nothing ends', () => {
  const end = page(7, 96_000n, sound);
  expect(voiceSeconds(opus(0, end, page(8, 480_000n, sound)))).toBe(2);
  expect(voiceSeconds(opus(0, end, page(7, -1n, sound)))).toBe(2);
  expect(voiceSeconds(opus(0, end, Buffer.from('OggS')))).toBe(2);
  expect(voiceSeconds(opus(0, page(7, 2n ** 60n, sound)))).toBe(0);
  expect(voiceSeconds(opus(0, end, ...Array.from({ length: 20 }, () => page(8, 1n, sound))))).toBe(0);
});

it('is left to Baileys where the file is small', () => {
  for (const other of [Buffer.alloc(0), Buffer.from('OggS'), Buffer.from('ID3'), page(7, 0n, Buffer.from('vorbis'))])
    expect(voiceSeconds(other)).toBeUndefined();
  expect(voiceSeconds(Buffer.alloc(2 * 1024 * 1024))).toBeUndefined();
  expect(voiceSeconds(Buffer.alloc(2 * 1024 * 1024 + 1))).toBe(0);
});
