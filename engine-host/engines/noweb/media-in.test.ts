import { afterEach, describe, expect, test, vi } from 'vitest';
import { MemoryMediaStore } from '#shared/adapters/memory/memory-media-store.ts';
import { encryptMedia } from '#test/simulator/media-cipher.ts';
import { mediaExtension } from './media-extension.ts';
import { IncomingMedia } from './media-in.ts';
import { MediaQueue } from './media-queue.ts';
import { ON_DEMAND, type Reupload, type WantedMedia } from './media-reuploads.ts';

const PLAIN = Buffer.from('what the picture shows');
const { body, mediaKey } = encryptMedia('Image', PLAIN);
const content = {
  kind: 'image',
  source: { url: 'https://mmg.whatsapp.net/v/first', directPath: '/v/first', mediaKey },
  mimetype: 'image/jpeg',
  filename: null,
  bytes: PLAIN.length,
} as const;

interface World {
  readonly store?: MemoryMediaStore;
  readonly timeoutMs?: number;
  /** What WhatsApp answers, by path. @default nothing at all */
  readonly files?: Readonly<Record<string, () => Response>>;
  readonly reupload?: Reupload;
}

function fetching({ store = new MemoryMediaStore(), timeoutMs = 5_000, files = {}, reupload }: World, id = 'AAAAAA') {
  vi.spyOn(globalThis, 'fetch').mockImplementation(
    async (address) => files[new URL(String(address)).pathname]?.() ?? Response.error(),
  );
  const asked: WantedMedia[] = [];
  const media = new IncomingMedia({
    session: 's',
    store,
    queue: new MediaQueue({ small: 1, large: 1 }),
    phone: {
      ask: async (wanted) => {
        asked.push(wanted);
        return reupload ?? { kind: 'silent' };
      },
    },
    limits: { maxBytes: 100, timeoutMs, trusts: () => true },
  });
  return { asked, payload: media.fetch({ remoteJid: '1@lid', fromMe: false, id }, content, ON_DEMAND) };
}

const gone = (status: number) => () => new Response(null, { status });
const there = () => new Response(body);

afterEach(() => vi.restoreAllMocks());

describe('received media', () => {
  test('says what went wrong instead of throwing', async () => {
    expect(await fetching({}).payload).toEqual({
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
    const { payload } = fetching({ store, timeoutMs: 10 });
    expect(await payload).toMatchObject({ url: null, error: 'the media did not arrive in time' });
  });

  test('takes what an earlier delivery stored', async () => {
    const store = new MemoryMediaStore();
    await store.put('files/s/AAAAAA.jpg', Buffer.from('there'), 'image/jpeg');
    expect(await fetching({ store }).payload).toMatchObject({ url: '/api/files/s/AAAAAA.jpg', error: null });
  });

  test('an id that is no name stays inside its folder', async () => {
    const store = new MemoryMediaStore();
    await store.put('files/s/../../x.jpg', Buffer.from('theirs'), 'image/jpeg');
    expect(await fetching({ store }, '../../x').payload).toMatchObject({ url: null });
  });

  test.each([403, 404, 410])('what WhatsApp answers with %i comes from where the phone puts it', async (status) => {
    const store = new MemoryMediaStore();
    const { payload, asked } = fetching({
      store,
      files: { '/v/first': gone(status), '/v/again': there },
      reupload: { kind: 'uploaded', directPath: '/v/again?ccb=1' },
    });
    expect(await payload).toMatchObject({ url: '/api/files/s/AAAAAA.jpg', error: null });
    expect(Buffer.from((await store.get('files/s/AAAAAA.jpg')).body)).toEqual(PLAIN);
    expect(asked).toEqual([
      {
        key: { remoteJid: '1@lid', fromMe: false, id: 'AAAAAA' },
        mediaKey,
        timeoutMs: expect.any(Number),
        patience: ON_DEMAND,
      },
    ]);
    expect(asked[0]?.timeoutMs).toBeLessThanOrEqual(5_000);
  });

  test('the phone is asked once, and only for what WhatsApp has dropped', async () => {
    const again: Reupload = { kind: 'uploaded', directPath: '/v/again' };
    const twice = fetching({ files: { '/v/first': gone(404), '/v/again': gone(404) }, reupload: again });
    expect(await twice.payload).toMatchObject({ error: 'WhatsApp does not have the media any more' });
    expect(twice.asked).toHaveLength(1);
    const broken = fetching({ files: { '/v/first': gone(500) }, reupload: again });
    expect(await broken.payload).toMatchObject({ error: 'the media could not be downloaded' });
    expect(broken.asked).toHaveLength(0);
  });

  test.each([
    ['missing', 'neither WhatsApp nor the phone has the media any more'],
    ['refused', 'WhatsApp does not have the media any more, and the phone did not upload it again'],
    ['silent', 'WhatsApp does not have the media any more, and the phone did not answer'],
  ] as const)('a phone that is %s', async (kind, error) => {
    const { payload } = fetching({ files: { '/v/first': gone(404) }, reupload: { kind } });
    expect(await payload).toMatchObject({ url: null, s3: null, error });
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
