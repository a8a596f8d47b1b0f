import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A page that tells where it comes from what it found when it was shown. A browser that waits for all of it waits until it has told. */
export interface Page {
  readonly url: string;
  readonly wanted: Readonly<Record<string, boolean>>;
  /** What it has told; undefined: nothing yet. */
  found(): unknown;
  close(): Promise<void>;
}

/** Glyphs that no font has are all drawn alike, and emoji are the only ones in colour. */
const TEXTS = {
  latin: 'g',
  cyrillic: 'ж',
  arabic: 'ع',
  hebrew: 'ש',
  hindi: 'ह',
  thai: 'ก',
  chinese: '你',
  japanese: 'ひ',
  korean: '한',
};
const SCRIPT = `
const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 64 });
const context = canvas.getContext('2d', { willReadFrequently: true });
function drawn(text) {
  context.clearRect(0, 0, 64, 64);
  context.font = '40px sans-serif';
  context.fillText(text, 4, 48);
  return context.getImageData(0, 0, 64, 64).data;
}
const missing = drawn('\\u{10fffd}').join();
const has = (text) => drawn(text).some((value) => value > 0) && drawn(text).join() !== missing;
const isColoured = (text) => {
  const data = drawn(text);
  return data.some((_, index) => index % 4 === 0 && (data[index] !== data[index + 1] || data[index] !== data[index + 2]));
};
async function stored() {
  const opening = indexedDB.open('kept', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('things');
  await new Promise((resolve, reject) => { opening.onsuccess = resolve; opening.onerror = reject; });
  const transaction = opening.result.transaction('things', 'readwrite', { durability: 'strict' });
  transaction.objectStore('things').put('value', 'key');
  await new Promise((resolve, reject) => { transaction.oncomplete = resolve; transaction.onabort = reject; });
  return true;
}
async function look() {
  const found = Object.entries(${JSON.stringify(TEXTS)}).map(([name, text]) => [name, has(text)]);
  return { ...Object.fromEntries(found), emoji: isColoured('😀'), kept: await stored() };
}
look()
  .catch(String)
  .then((found) => fetch('/found', { method: 'POST', body: JSON.stringify(found) }));
`;
const WANTED = Object.fromEntries([...Object.keys(TEXTS), 'emoji', 'kept'].map((name) => [name, true]));

export async function startPage(): Promise<Page> {
  let found: unknown;
  const told = Promise.withResolvers<void>();
  const server = createServer(async (request, response) => {
    switch (request.url) {
      case '/':
        response.setHeader('Content-Type', 'text/html; charset=utf-8');
        response.end('<!doctype html><script src="/script.js" defer></script><img src="/picture">');
        return;
      case '/script.js':
        response.setHeader('Content-Type', 'text/javascript; charset=utf-8');
        response.end(SCRIPT);
        return;
      case '/found':
        found = JSON.parse(await text(request));
        told.resolve();
        response.end();
        return;
      case '/picture':
        await told.promise;
        response.writeHead(404).end();
        return;
      default:
        response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    wanted: WANTED,
    found: () => found,
    close: async () => {
      told.resolve();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
