import type { WAMessageKey } from '@whiskeysockets/baileys';
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

const KEY: WAMessageKey = { remoteJid: '1@lid', fromMe: false, id: 'AAAAAA' };

function fetching({ store = new MemoryMediaStore(), timeoutMs = 5_000, files = {}, reupload }: World, key = KEY) {
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
  return { asked, payload: media.fetch(key, content, ON_DEMAND) };
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
    const first = await fetching({ store, files: { '/v/first': there } }).payload;
    expect(first).toMatchObject({ error: null });
    expect(await fetching({ store }).payload).toEqual(first);
  });

  const [LID, PN, GROUP] = ['77777777777@lid', '4915100000001@s.whatsapp.net', '120363000000000001@g.us'];

  test.each([
    [{ remoteJid: LID, remoteJidAlt: PN }, { remoteJid: PN }],
    [
      { remoteJid: GROUP, participant: LID, participantAlt: PN },
      { remoteJid: GROUP, participant: PN },
    ],
    [
      { remoteJid: GROUP, fromMe: true, participant: LID },
      { remoteJid: GROUP, fromMe: true, participant: PN },
    ],
  ])('on demand it is where it would have been on its arrival: %o', async (arrived, named) => {
    const store = new MemoryMediaStore();
    const first = await fetching({ store, files: { '/v/first': there } }, { ...KEY, ...arrived }).payload;
    expect(await fetching({ store }, { ...KEY, ...named }).payload).toEqual(first);
  });

  const inGroup = { remoteJid: GROUP, participant: PN };

  test.each([
    ['in a chat of their own', { remoteJid: '4915100000002@s.whatsapp.net' }],
    ['in another group', { remoteJid: '120363000000000002@g.us', participant: PN }],
    ['in the same group', { remoteJid: GROUP, participant: '4915100000002@s.whatsapp.net' }],
    ['by us', { remoteJid: GROUP, participant: PN, fromMe: true }],
  ])('what somebody has sent under the same id is not taken for it: %s', async (_, theirs) => {
    const store = new MemoryMediaStore();
    const stored = await fetching({ store, files: { '/v/first': there } }, { ...KEY, ...theirs }).payload;
    expect(stored).toMatchObject({ error: null });
    expect(await fetching({ store }, { ...KEY, ...inGroup }).payload).toMatchObject({ url: null, s3: null });
    const own = await fetching({ store, files: { '/v/first': there } }, { ...KEY, ...inGroup }).payload;
    expect(own).toMatchObject({ error: null });
    expect(own.url).not.toBe(stored.url);
  });

  test('an id that is no name stays inside its folder', async () => {
    const { payload } = fetching({ files: { '/v/first': there } }, { ...KEY, id: '../../x' });
    expect(await payload).toMatchObject({
      url: expect.stringMatching(/^\/api\/files\/s\/[0-9a-f]{64}-[0-9a-f]{16}\.jpg$/),
    });
  });

  test.each([403, 404, 410])('what WhatsApp answers with %i comes from where the phone puts it', async (status) => {
    const store = new MemoryMediaStore();
    const { payload, asked } = fetching({
      store,
      files: { '/v/first': gone(status), '/v/again': there },
      reupload: { kind: 'uploaded', directPath: '/v/again?ccb=1' },
    });
    const { url, s3, error } = await payload;
    expect({ url, error }).toEqual({ url: expect.stringMatching(/^\/api\/files\/s\/AAAAAA-.*\.jpg$/), error: null });
    expect(Buffer.from((await store.get(s3?.Key ?? '')).body)).toEqual(PLAIN);
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
