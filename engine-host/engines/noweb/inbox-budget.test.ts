import { describe, expect, test } from 'vitest';
import { MemorySessionState } from '../memory-session-state.ts';
import { Inbox } from './inbox.ts';
import { InboxBudget } from './inbox-budget.ts';
import { MarkedState } from './marked-state.ts';

const KIB = 1024;
const entry = new Uint8Array(KIB);

describe('InboxBudget', () => {
  test('a session is full at its limit, and has room when half of it is gone', () => {
    const share = new InboxBudget({ session: 8 * KIB, host: 1_000 * KIB }).open();
    const sizes = [share.add(entry), share.add(entry), share.add(entry)];
    expect(sizes).toEqual([2 * KIB, 2 * KIB, 2 * KIB]);
    expect(share.isFull).toBe(false);
    share.add(entry);
    expect(share.isFull).toBe(true);
    share.remove(2 * KIB);
    expect([share.isFull, share.hasRoom]).toEqual([false, false]);
    share.remove(2 * KIB);
    expect(share.hasRoom).toBe(true);
  });

  test('all sessions of a host fill its limit together, and one that goes leaves it to the others', () => {
    const budget = new InboxBudget({ session: 1_000 * KIB, host: 8 * KIB });
    const [a, b] = [budget.open(), budget.open()];
    for (let count = 0; count < 3; count += 1) a.add(entry);
    expect(b.isFull).toBe(false);
    b.add(entry);
    expect([a.isFull, b.isFull, a.hasRoom]).toEqual([true, true, false]);
    a.close();
    a.remove(2 * KIB);
    expect([b.isFull, b.hasRoom]).toEqual([false, true]);
  });
});

describe('what an inbox counts', () => {
  const receipt = (id: string) => ({ kind: 'receipt' as const, attrs: { from: 'x', t: '1' }, ids: [id.repeat(400)] });

  test('is what is in it, the next time too, and nothing when it is empty', () => {
    const state = new MemorySessionState();
    const marked = new MarkedState(state);
    marked.hasten();
    const limits = { session: 3 * KIB, host: 1_000 * KIB };
    const share = new InboxBudget(limits).open();
    const inbox = new Inbox(marked, () => {}, share);
    for (const id of ['a', 'b']) inbox.note(receipt(id));
    expect(share.isFull).toBe(false);
    inbox.note(receipt('c'));
    expect(share.isFull).toBe(true);
    const again = new InboxBudget(limits).open();
    const next = new Inbox(new MarkedState(state), () => {}, again);
    expect(again.isFull).toBe(true);
    for (const [number] of next.waiting) next.clear(number);
    expect(again.hasRoom).toBe(true);
  });

  test('is nothing for what cannot be made into events: it stays, and holds nobody up', () => {
    const state = new MemorySessionState();
    const limits = { session: 3 * KIB, host: 1_000 * KIB };
    const share = new InboxBudget(limits).open();
    const numbers: number[] = [];
    const inbox = new Inbox(new MarkedState(state), (number) => numbers.push(number), share);
    for (const id of ['a', 'b', 'c']) inbox.note(receipt(id));
    expect(share.isFull).toBe(true);
    for (const number of numbers) {
      inbox.setAside(number);
      inbox.setAside(number);
    }
    expect(share.hasRoom).toBe(true);
    for (const id of ['a', 'b']) inbox.note(receipt(id));
    expect(share.isFull).toBe(false);
    expect(state.keys('inbox/')).toHaveLength(5);
  });
});
