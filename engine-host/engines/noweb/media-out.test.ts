import { beforeEach, expect, test } from 'vitest';
import { MemoryMediaStore } from '#shared/adapters/memory/memory-media-store.ts';
import type { MediaSource } from '#shared/contracts/commands.ts';
import { oggOpus } from '#test/support/media-samples.ts';
import { loadOutgoingMedia, type OutgoingMediaPorts } from './media-out.ts';
import { MediaQueue } from './media-queue.ts';

const BY_URL: MediaSource = { kind: 'url', url: 'https://files.example/talk' };
const SIZE = 10_036;

let happened: string[];
let said: string | undefined;
let body: Buffer;
let ports: OutgoingMediaPorts;

beforeEach(() => {
  happened = [];
  said = undefined;
  body = oggOpus(SIZE - 36);
  ports = {
    signal: new AbortController().signal,
    media: new MemoryMediaStore(),
    // For two of them.
    queue: new MediaQueue({ small: 2 * SIZE, large: 1 }),
    remoteFiles: {
      open: async () => {
        happened.push('opened');
        return {
          mimetype: said,
          filename: 'talk.ogg',
          mostBytes: SIZE,
          read: async () => {
            happened.push('read');
            return body;
          },
          close: () => void happened.push('closed'),
        };
      },
    },
  };
});

const load = () => loadOutgoingMedia('sendVoice', BY_URL, ports);
const settled = () => new Promise(setImmediate);

test('a file is read when there is room for it', async () => {
  const [first, second] = await Promise.all([load(), load()]);
  happened = [];
  const third = load();
  await settled();
  expect(happened).toEqual(['opened']);
  second.release();
  expect(await third).toMatchObject({ mimetype: 'audio/ogg; codecs=opus', filename: 'talk.ogg' });
  expect(happened).toEqual(['opened', 'read', 'closed']);
  first.release();
});

test('it is not copied', async () => {
  const loaded = await load();
  expect(loaded.body.buffer).toBe(body.buffer);
  expect(loaded.body).toEqual(body);
});

test('what is refused by what is said of it is not read', async () => {
  said = 'text/html';
  await expect(load()).rejects.toMatchObject({ reason: 'media-refused' });
  expect(happened).toEqual(['opened', 'closed']);
});

test('what is refused, or breaks, leaves its room to others', async () => {
  const good = body;
  body = Buffer.from('<html>');
  for (let turn = 0; turn < 3; turn += 1) await expect(load()).rejects.toMatchObject({ reason: 'media-refused' });
  await expect(
    loadOutgoingMedia('sendFile', { kind: 'object', key: 'none', mimetype: 'a/b' }, ports),
  ).rejects.toMatchObject({ code: 'not-found' });
  body = good;
  await Promise.all([load(), load()]);
});

test('what came in a request waits for room too', async () => {
  const { release } = await load();
  const waiting = loadOutgoingMedia('sendFile', { kind: 'object', key: 'k', mimetype: 'a/b' }, ports);
  let isOver = false;
  void waiting.catch(() => (isOver = true));
  await settled();
  expect(isOver).toBe(false);
  release();
  await expect(waiting).rejects.toMatchObject({ code: 'not-found' });
});
