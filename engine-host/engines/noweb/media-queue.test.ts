import { expect, test } from 'vitest';
import { MediaQueue } from './media-queue.ts';

const MIB = 1024 * 1024;

test('small files go on while large ones wait for each other', async () => {
  const queue = new MediaQueue(3);
  const ends: (() => void)[] = [];
  let running = 0;
  const download = () => {
    running += 1;
    return new Promise<void>((resolve) => ends.push(resolve));
  };
  const all = [60 * MIB, 0, 60 * MIB, 1, 1, 1, 1].map((bytes) => queue.add(bytes, 64 * MIB, download));
  await Promise.resolve();
  expect(running).toBe(5);
  while (ends.length > 0) {
    for (const end of ends.splice(0)) end();
    await new Promise(setImmediate);
  }
  await Promise.all(all);
  expect(running).toBe(7);
});

test('what says that it is small may not be large', async () => {
  const queue = new MediaQueue(1);
  const allowed = async (bytes: number, most = 64 * MIB) => await queue.add(bytes, most, async (maxBytes) => maxBytes);
  expect(await allowed(1)).toBe(8 * MIB);
  expect(await allowed(1, MIB)).toBe(MIB);
  expect(await allowed(9 * MIB)).toBe(64 * MIB);
  expect(await allowed(0)).toBe(64 * MIB);
});
