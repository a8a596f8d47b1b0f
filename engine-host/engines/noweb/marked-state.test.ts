import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MemorySessionState } from '../memory-session-state.ts';
import { MarkedState } from './marked-state.ts';

const change = (key: string) => [{ key, value: Uint8Array.of(1) }];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('MarkedState', () => {
  test('frames wait for what is needed, not for what a crash may lose', () => {
    const marked = new MarkedState(new MemorySessionState());
    const mark = marked.append(change('a'));
    marked.appendExpendable(change('b'));
    marked.appendSoon(change('c'));
    vi.runAllTimers();
    expect(marked.needed).toBe(mark);
    expect(marked.append(change('d'))).toBeGreaterThan(mark);
  });

  test('what lingers rides along with the next change, or goes alone after a moment', () => {
    const state = new MemorySessionState();
    const marked = new MarkedState(state);
    marked.appendSoon(change('a'));
    marked.appendSoon(change('b'));
    expect(state.head).toBe(0);
    marked.append(change('c'));
    expect([state.head, state.keys('')]).toEqual([1, ['a', 'b', 'c']]);
    marked.appendSoon(change('d'));
    vi.runAllTimers();
    expect([state.head, state.keys('')]).toEqual([2, ['a', 'b', 'c', 'd']]);
  });

  test('nothing lingers after it was told to hasten', () => {
    const state = new MemorySessionState();
    const marked = new MarkedState(state);
    marked.appendSoon(change('a'));
    marked.hasten();
    marked.appendSoon(change('b'));
    expect(state.keys('')).toEqual(['a', 'b']);
  });
});
