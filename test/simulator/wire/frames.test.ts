import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientFrames, CONNECTION_HEADER, encodeFrame } from './frames.ts';

const payload = fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array));

function routingIntro(info: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x45, 0x44, 0, 1]), encodeFrame(info)]);
}

function cut(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(stream.subarray(at, at + size));
    at += size;
  }
  return [...chunks, stream.subarray(at)];
}

describe('the frames of a client', () => {
  it('are the same however the stream is cut', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 });
    const routing = fc.option(payload, { nil: undefined });
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 8 }), routing, sizes, (payloads, routingInfo, chunkSizes) => {
        const intro = routingInfo ? [routingIntro(routingInfo)] : [];
        const stream = Buffer.concat([...intro, CONNECTION_HEADER, ...payloads.map(encodeFrame)]);
        const frames = new ClientFrames();
        expect(cut(stream, chunkSizes).flatMap((chunk) => [...frames.push(chunk)])).toStrictEqual(payloads);
        expect(frames.routingInfo).toStrictEqual(routingInfo);
      }),
    );
  });

  it.each([
    ['another version', Buffer.from([0x57, 0x41, 5, 3])],
    ['plain HTTP', Buffer.from('GET / HTTP/1.1')],
    ['two routing intros', Buffer.concat([routingIntro(Buffer.from('a')), routingIntro(Buffer.from('b'))])],
  ])('must not start with %s', (_, start) => {
    expect(() => [...new ClientFrames().push(start)]).toThrow('does not start with the header WA 6 3');
  });

  it('cannot be longer than 24 bits can say', () => {
    expect(() => encodeFrame(Buffer.alloc(0x1000000))).toThrow('too long');
  });
});
