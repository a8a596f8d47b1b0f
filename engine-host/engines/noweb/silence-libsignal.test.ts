import libsignal from 'libsignal';
import { expect, test } from 'vitest';
import { silenceLibsignal } from './silence-libsignal.ts';

/** A console whose output can be looked at. */
function listeningConsole(): { target: Console; printed: unknown[][] } {
  const printed: unknown[][] = [];
  const print = (...values: unknown[]) => printed.push(values);
  const target = Object.create(console);
  for (const method of ['log', 'info', 'warn', 'error', 'debug']) target[method] = print;
  return { target, printed };
}

test('lets nothing of the Signal library through, whatever it prints, and everything of ours', () => {
  const { target, printed } = listeningConsole();
  silenceLibsignal(target);
  const original = globalThis.console;
  globalThis.console = target;
  try {
    const record = new libsignal.SessionRecord();
    const session = { indexInfo: { closed: -1 }, privateKey: 'secret' };
    Reflect.get(record, 'closeSession').call(record, session);
    Reflect.get(record, 'closeSession').call(record, session);
    Reflect.get(record, 'openSession').call(record, session);
  } finally {
    globalThis.console = original;
  }
  expect(printed).toEqual([]);
  target.log('ours', 1);
  target.error('ours too');
  expect(printed).toEqual([['ours', 1], ['ours too']]);
});

test('knows the prints by their words where the stack does not name the library', () => {
  const { target, printed } = listeningConsole();
  silenceLibsignal(target);
  target.info('Closing session:', { privateKey: 'secret' });
  target.error('Session error:MessageCounterError');
  expect(printed).toEqual([]);
});

test('wraps a console once', () => {
  const { target } = listeningConsole();
  silenceLibsignal(target);
  const wrapped = target.log;
  silenceLibsignal(target);
  expect(target.log).toBe(wrapped);
});
