import { afterEach, describe, expect, test, vi } from 'vitest';
import { encryptMedia } from '#test/simulator/media-cipher.ts';
import { downloadMedia } from './media-download.ts';

const PLAIN = Buffer.from('forty-two bytes of something to look at ok');
const { body, mediaKey } = encryptMedia('Image', PLAIN);
const PATH = '/v/t62.7118-24/file?ccb=11-4';
const trusts = (host: string) => host.endsWith('.whatsapp.net');

/** Downloads from servers that answer like this, one after the other. @returns also which addresses were asked */
async function download(source: object, answers: readonly Response[], maxBytes = 1_000) {
  const left = [...answers];
  const asked: string[] = [];
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (address) => {
    asked.push(String(address));
    return left.shift() ?? Response.error();
  });
  const media = {
    kind: 'image',
    source: { mediaKey, ...source },
    mimetype: 'image/png',
    filename: null,
    bytes: 42,
  } as const;
  const result = await downloadMedia(media, { maxBytes, signal: AbortSignal.timeout(5_000), trusts }).then(
    (plain) => plain.toString(),
    (error: unknown) => error,
  );
  return { result, asked };
}

/** In pieces of this size. */
function pieces(bytes: Uint8Array, size: number): Response {
  return new Response(
    new ReadableStream({
      start(stream) {
        for (let at = 0; at < bytes.length; at += size) stream.enqueue(bytes.subarray(at, at + size));
        stream.close();
      },
    }),
  );
}

afterEach(() => vi.restoreAllMocks());

describe('downloading media', () => {
  test.each([1, 7, 10, 11, 1_000])('decrypts a file that comes in pieces of %i', async (size) => {
    const { result, asked } = await download({ directPath: PATH }, [pieces(body, size)]);
    expect([result, asked]).toEqual([PLAIN.toString(), [`https://mmg.whatsapp.net${PATH}`]]);
  });

  test.each([
    [
      'the host of the URL',
      { url: 'https://media-1.cdn.whatsapp.net/x', directPath: PATH },
      'media-1.cdn.whatsapp.net',
    ],
    ['another host is not asked', { url: 'https://evil.example/x', directPath: PATH }, 'mmg.whatsapp.net'],
    ['nor in the clear', { url: 'http://mmg.whatsapp.net/x', directPath: PATH }, 'mmg.whatsapp.net'],
  ])('%s', async (_, source, host) => {
    const { result, asked } = await download(source, [pieces(body, 100)]);
    expect([result, asked]).toEqual([PLAIN.toString(), [`https://${host}${PATH}`]]);
  });

  test.each([
    ['a URL elsewhere', { url: 'https://169.254.169.254/latest' }],
    ['a path that is a host', { directPath: '//evil.example/x' }],
    ['a path that is a URL', { directPath: 'https://evil.example/x' }],
    ['no address', {}],
  ])('asks nobody about %s', async (_, source) => {
    const { result, asked } = await download(source, [pieces(body, 100)]);
    expect([result, asked]).toEqual([new Error('the media is not at WhatsApp'), []]);
  });

  test('a connection that is cut in the middle of a file ends its download and nothing else', async () => {
    const start = (stream: ReadableStreamDefaultController) => {
      stream.enqueue(body.subarray(0, 20));
      setImmediate(() => stream.error(new TypeError('terminated')));
    };
    const { result } = await download({ directPath: PATH }, [new Response(new ReadableStream({ start }))]);
    expect(result).toEqual(new TypeError('terminated'));
  });

  test('a path cannot move the host', async () => {
    const { asked } = await download({ directPath: '@evil.example/x' }, [pieces(body, 100)]);
    expect(asked).toEqual(['https://mmg.whatsapp.net/@evil.example/x']);
  });

  test('follows WhatsApp to WhatsApp, and nowhere else', async () => {
    const to = (location: string) => new Response(null, { status: 302, headers: { location } });
    const inside = await download({ directPath: PATH }, [to('https://b.cdn.whatsapp.net/y'), pieces(body, 100)]);
    expect(inside.result).toBe(PLAIN.toString());
    const outside = await download({ directPath: PATH }, [to('https://evil.example/y'), pieces(body, 100)]);
    expect([outside.result, outside.asked.length]).toEqual([new Error('the media is not at WhatsApp'), 1]);
    const endless = await download(
      { directPath: PATH },
      Array.from({ length: 9 }, () => to('/again')),
    );
    expect([endless.result, endless.asked.length]).toEqual([new Error('WhatsApp did not give the media'), 4]);
  });

  test.each([
    ['gone', [new Response(null, { status: 410 })], 1_000, 'WhatsApp does not have the media any more'],
    [
      'larger than it said',
      [pieces(Buffer.alloc(2_000), 500)],
      100,
      'the media is larger than this installation stores',
    ],
    [
      'changed on its way',
      [pieces(Buffer.from(body).fill(1, 0, 1), 9)],
      1_000,
      'the media is not what its sender has encrypted',
    ],
    ['cut short', [pieces(body.subarray(0, -1), 100)], 1_000, 'the media is not what its sender has encrypted'],
    ['nothing', [pieces(Buffer.alloc(0), 1)], 1_000, 'the media is not what its sender has encrypted'],
  ])('says that it is %s', async (_, answers, maxBytes, sentence) => {
    expect((await download({ directPath: PATH }, answers, maxBytes)).result).toEqual(new Error(sentence));
  });
});
