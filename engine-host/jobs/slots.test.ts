import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { Slots } from './slots.ts';

it('lets the next one have what somebody who left was woken for', async () => {
  const slots = new Slots(1);
  slots.take();
  const leaving = new AbortController();
  const staying = new AbortController();
  const order: string[] = [];
  const left = slots.free(leaving.signal).then(() => order.push('left'));
  const stayed = slots.free(staying.signal).then(() => order.push('stayed'));
  leaving.abort();
  await left;
  expect(order).toEqual(['left']);
  slots.release();
  await stayed;
  expect(order).toEqual(['left', 'stayed']);
});

it('passes a wake-up on when its receiver leaves at the same moment', async () => {
  const slots = new Slots(1);
  slots.take();
  const leaving = new AbortController();
  const staying = new AbortController();
  const left = slots.free(leaving.signal);
  const stayed = slots.free(staying.signal);
  slots.release();
  leaving.abort();
  await Promise.all([left, stayed]);
});

it('leaves no listener behind', async () => {
  const slots = new Slots(1);
  const { signal } = new AbortController();
  for (let count = 0; count < 5; count += 1) {
    slots.take();
    const free = slots.free(signal);
    slots.release();
    await free;
  }
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
