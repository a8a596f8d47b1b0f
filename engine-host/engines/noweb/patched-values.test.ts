import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { MemorySessionState } from '../memory-session-state.ts';
import { MarkedState } from './marked-state.ts';
import { PatchedValues } from './patched-values.ts';

function setUp() {
  const state = new MemorySessionState();
  const values = new PatchedValues(new MarkedState(state));
  const set = (value: Uint8Array | null) => {
    const changes = values.set({ key: 'session/a', value });
    state.append(changes);
    return changes.reduce((sum, change) => sum + (change.value?.length ?? 0), 0);
  };
  const stored = () => new PatchedValues(new MarkedState(state)).get('session/a');
  return { state, values, set, stored };
}

describe('PatchedValues', () => {
  test('every value comes back, at once and after a new start, and costs what it differs', () => {
    const { values, set, stored } = setUp();
    const value = randomBytes(1_000);
    expect(set(value)).toBe(1_000);
    for (let step = 0; step < 50; step += 1) {
      randomBytes(32).copy(value, 400);
      expect(set(value)).toBeLessThan(100);
      expect(Buffer.from(values.get('session/a') ?? [])).toEqual(value);
      expect(Buffer.from(stored() ?? [])).toEqual(value);
    }
  });

  test('what has become another value is written whole, and its patch goes', () => {
    const { state, set, stored } = setUp();
    const value = randomBytes(1_000);
    set(value);
    set(Buffer.concat([value, Uint8Array.of(1)]));
    expect(state.keys('session/')).toHaveLength(2);
    const other = randomBytes(1_000);
    set(other);
    expect(state.keys('session/')).toEqual(['session/a']);
    expect(Buffer.from(stored() ?? [])).toEqual(other);
  });

  test('a deletion leaves nothing', () => {
    const { state, values, set } = setUp();
    const value = randomBytes(1_000);
    set(value);
    set(Buffer.concat([value, Uint8Array.of(1)]));
    set(null);
    expect(state.keys('')).toEqual([]);
    expect(values.get('session/a')).toBeUndefined();
  });
});
