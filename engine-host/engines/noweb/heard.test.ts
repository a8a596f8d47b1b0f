import { describe, expect, test } from 'vitest';
import { MemorySessionState } from '../memory-session-state.ts';
import { Heard, shortHash } from './heard.ts';
import { MarkedState } from './marked-state.ts';

function setUp() {
  const state = new MemorySessionState();
  const heard = new Heard(new MarkedState(state));
  const add = (to: Heard, ...numbers: readonly number[]) => {
    for (const n of numbers) {
      state.append(to.add({ ciphertext: shortHash(`c${n}`), message: n % 2 === 0 ? shortHash(`m${n}`) : undefined }));
    }
  };
  return { state, heard, add, restarted: () => new Heard(new MarkedState(state)) };
}
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);
const known = (heard: Heard, count: number) => upTo(count).filter((n) => heard.hasCiphertext(shortHash(`c${n}`)));

describe('Heard', () => {
  test('knows ciphertexts and messages, each only as what it is', () => {
    const { heard, add } = setUp();
    add(heard, 1, 2);
    expect(heard.hasCiphertext(shortHash('c1'))).toBe(true);
    expect(heard.hasMessage(shortHash('m2'))).toBe(true);
    expect(heard.hasMessage(shortHash('c1'))).toBe(false);
    expect(heard.hasCiphertext(shortHash('m2'))).toBe(false);
  });

  test.each([1, 31, 32, 33, 64, 100, 1_000])(
    'knows %i of them after a new start, and goes on where it was',
    (count) => {
      const { heard, add, restarted } = setUp();
      add(heard, ...upTo(count));
      const again = restarted();
      expect(known(again, count)).toHaveLength(count);
      add(again, count);
      expect(known(restarted(), count + 1)).toHaveLength(count + 1);
    },
  );

  test('keeps the newest two thousand, in a bounded number of values', () => {
    const { state, heard, add, restarted } = setUp();
    add(heard, ...upTo(5_000));
    const kept = known(restarted(), 5_000);
    expect(kept.length).toBeGreaterThanOrEqual(1_984);
    expect(kept).toEqual(upTo(5_000).slice(-kept.length));
    expect(state.keys('heard/').length).toBeLessThan(100);
  });
});
