import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EarlyReceipts } from './early-receipts.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('EarlyReceipts', () => {
  test('tells of what nobody has taken, after a while', () => {
    const early = new EarlyReceipts();
    const tell = vi.fn();
    early.hold('ONE', 1, tell);
    vi.runAllTimers();
    expect(tell).toHaveBeenCalledOnce();
    expect(early.take('ONE')).toEqual([]);
  });

  test('gives up nothing once stopped, and still has what comes then behind its message', () => {
    const early = new EarlyReceipts();
    early.hold('ONE', 1, () => {});
    early.stop();
    early.hold('ONE', 2, () => {});
    expect(vi.getTimerCount()).toBe(0);
    expect(early.take('ONE')).toEqual([1, 2]);
  });
});
