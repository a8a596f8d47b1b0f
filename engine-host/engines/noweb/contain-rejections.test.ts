import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { containRejections } from './contain-rejections.ts';

test('a listener that fails later is reported, with its event, and the others run in order', async () => {
  const emitter = new EventEmitter();
  const [ran, failed]: [string[], unknown[]] = [[], []];
  emitter.on('frame', async (name: string) => {
    ran.push(`first ${name}`);
    throw new Error('the socket is closed');
  });
  emitter.on('frame', (name: string) => ran.push(`second ${name}`));
  containRejections(emitter, (event, error) => failed.push([event, String(error)]));
  emitter.prependListener('frame', () => ran.push('prepended'));
  emitter.emit('frame', 'a');
  await new Promise((resolve) => setImmediate(resolve));
  expect(ran).toEqual(['prepended', 'first a', 'second a']);
  expect(failed).toEqual([['frame', 'Error: the socket is closed']]);
});

test('a listener for once runs once', () => {
  const emitter = new EventEmitter();
  let runs = 0;
  emitter.once('open', () => {
    runs += 1;
  });
  containRejections(emitter, () => undefined);
  emitter.emit('open');
  emitter.emit('open');
  expect(runs).toBe(1);
});
