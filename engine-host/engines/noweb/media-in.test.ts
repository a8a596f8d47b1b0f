import { describe, expect, test, vi } from 'vitest';
import { MemoryMediaStore } from '#shared/adapters/memory/memory-media-store.ts';
import { mediaExtension } from './media-extension.ts';
import { storeIncomingMedia } from './media-in.ts';

const content = {
  kind: 'image',
  source: { url: 'https://127.0.0.1:1/v/nothing', directPath: '/v/nothing', mediaKey: Buffer.alloc(32) },
  mimetype: 'image/jpeg',
  filename: null,
  bytes: 10,
} as const;
const limits = { maxBytes: 100, timeoutMs: 5_000, trusts: () => true };

describe('storeIncomingMedia', () => {
  test('says what went wrong instead of throwing', async () => {
    const payload = await storeIncomingMedia('s', 'AAAAAA', content, new MemoryMediaStore(), limits);
    expect(payload).toEqual({
      url: null,
      mimetype: 'image/jpeg',
      filename: null,
      s3: null,
      error: 'the media could not be downloaded',
    });
  });

  test('a bucket that does not answer does not hold up the message either', async () => {
    const store = new MemoryMediaStore();
    vi.spyOn(store, 'exists').mockReturnValue(new Promise(() => {}));
    const payload = await storeIncomingMedia('s', 'AAAAAA', content, store, { ...limits, timeoutMs: 10 });
    expect(payload).toMatchObject({ url: null, error: 'the media did not arrive in time' });
  });

  test('takes what an earlier delivery stored', async () => {
    const store = new MemoryMediaStore();
    await store.put('files/s/AAAAAA.jpg', Buffer.from('there'), 'image/jpeg');
    const payload = await storeIncomingMedia('s', 'AAAAAA', content, store, limits);
    expect(payload).toMatchObject({ url: '/api/files/s/AAAAAA.jpg', error: null });
  });

  test('an id that is no name stays inside its folder', async () => {
    const store = new MemoryMediaStore();
    await store.put('files/s/../../x.jpg', Buffer.from('theirs'), 'image/jpeg');
    expect(await storeIncomingMedia('s', '../../x', content, store, limits)).toMatchObject({ url: null });
  });
});

test.each([
  ['image/jpeg', null, 'jpg'],
  ['audio/ogg; codecs=opus', null, 'oga'],
  ['application/x-unknown', null, 'bin'],
  ['application/pdf', 'Plan.PDF', 'pdf'],
  ['text/plain', 'x.p/../y', 'txt'],
])('%s with name %s ends in %s', (mimetype, filename, extension) => {
  expect(mediaExtension(mimetype, filename)).toBe(extension);
});
