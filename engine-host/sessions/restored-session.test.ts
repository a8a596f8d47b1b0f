import { pino } from 'pino';
import { expect, it } from 'vitest';
import { MemorySessionState } from '../engines/memory-session-state.ts';
import { renewRestored } from './restored-session.ts';
import { sessionRow } from './row-fixtures.ts';
import { seqsOfState } from './seq-counter.ts';

const logger = pino({ level: 'silent' });
const clock = { now: () => 5 };
/** Of the fixture. */
const CREATED_AT = 1;

function world() {
  const state = new MemorySessionState();
  const renewed: number[] = [];
  const afterRestore = (_state: unknown, now: number) => {
    renewed.push(now);
    return [{ key: 'ratchet', value: null }];
  };
  state.append([{ key: 'ratchet', value: Uint8Array.of(1) }]);
  const open = (restored?: string, engines = new Map([['SCRIPTED', { afterRestore }]] as const)) =>
    renewRestored(sessionRow(restored === undefined ? {} : { restored }), state, { engines, clock, logger });
  return { state, renewed, open };
}

it('a state that comes from a backup is renewed once for each restore', () => {
  const { state, renewed, open } = world();
  open();
  expect(state.get('ratchet')).toBeDefined();
  open('first');
  expect(state.get('ratchet')).toBeUndefined();
  open('first');
  expect(renewed).toEqual([5]);
  open('second');
  expect(renewed).toEqual([5, 5]);
});

it('what is changed and that it was changed are one record', () => {
  const { state, open } = world();
  open('first');
  expect(state.head).toBe(2);
});

it('numbers of events go on above all that were given since the backup', () => {
  const { state, open } = world();
  const before = seqsOfState(state, CREATED_AT);
  for (let event = 0; event < 10; event += 1) before.next();
  open('first');
  expect(seqsOfState(state, CREATED_AT).next()).toBeGreaterThan(CREATED_AT + 100_000_000);
});

it('a host without the engine leaves it to one that has it', () => {
  const { state, renewed, open } = world();
  open('first', new Map());
  expect(state.head).toBe(1);
  open('first');
  expect(renewed).toEqual([5]);
});
