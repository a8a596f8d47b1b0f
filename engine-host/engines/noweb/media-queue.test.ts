import { expect, test } from 'vitest';
import { MediaQueue, NoRoomError } from './media-queue.ts';

const MIB = 1024 * 1024;

test('small files go on while large ones wait for each other', async () => {
  const queue = new MediaQueue({ small: 24 * MIB, large: 128 * MIB });
  const ends: (() => void)[] = [];
  let running = 0;
  const download = () => {
    running += 1;
    return new Promise<void>((resolve) => ends.push(resolve));
  };
  const all = [60 * MIB, 0, 60 * MIB, 1, 1, 1, 1].map((bytes) => queue.add(bytes, 64 * MIB, download));
  await new Promise(setImmediate);
  expect(running).toBe(5);
  while (ends.length > 0) {
    for (const end of ends.splice(0)) end();
    await new Promise(setImmediate);
  }
  await Promise.all(all);
  expect(running).toBe(7);
});

test('what says that it is small may not be large', async () => {
  const queue = new MediaQueue({ small: 8 * MIB, large: 64 * MIB });
  const allowed = async (bytes: number, most = 64 * MIB) => await queue.add(bytes, most, async (maxBytes) => maxBytes);
  expect(await allowed(1)).toBe(8 * MIB);
  expect(await allowed(1, MIB)).toBe(MIB);
  expect(await allowed(9 * MIB)).toBe(64 * MIB);
  expect(await allowed(0)).toBe(64 * MIB);
});

test('a download that failed leaves its room to others', async () => {
  const queue = new MediaQueue({ small: 8 * MIB, large: 64 * MIB });
  const failing = queue.add(1, 64 * MIB, () => Promise.reject(new Error('broken')));
  await expect(failing).rejects.toThrow('broken');
  expect(await queue.add(1, 64 * MIB, async () => 'done')).toBe('done');
});

test('whoever has no more patience leaves the queue, and keeps nobody back', async () => {
  const queue = new MediaQueue({ small: 10, large: 64 * MIB });
  const release = await queue.hold(6);
  const patience = new AbortController();
  const large = queue.hold(9, patience.signal);
  const small = queue.hold(4);
  patience.abort();
  await expect(large).rejects.toBeInstanceOf(NoRoomError);
  await expect(queue.hold(1, AbortSignal.abort())).rejects.toBeInstanceOf(NoRoomError);
  (await small)();
  release();
  // Nothing of those who left is held.
  (await queue.hold(10))();
});

test('bytes are counted, in the order of their coming, and given back once', async () => {
  const queue = new MediaQueue({ small: 10, large: 64 * MIB });
  const entered: string[] = [];
  const hold = async (name: string, bytes: number) => {
    const release = await queue.hold(bytes);
    entered.push(name);
    return release;
  };
  const first = await hold('first', 6);
  const second = await hold('second', 4);
  const third = hold('third', 5);
  const fourth = hold('fourth', 1);
  second();
  second();
  await new Promise(setImmediate);
  expect(entered).toEqual(['first', 'second']);
  first();
  await Promise.all([third, fourth]);
  expect(entered).toEqual(['first', 'second', 'third', 'fourth']);
});

test('what is larger than the lane goes alone', async () => {
  const queue = new MediaQueue({ small: 10, large: 10 });
  const small = await queue.hold(1);
  const beyond = queue.hold(11);
  let isIn = false;
  void beyond.then(() => (isIn = true));
  await new Promise(setImmediate);
  expect(isIn).toBe(false);
  small();
  (await beyond)();
  (await queue.hold(64 * MIB))();
});
