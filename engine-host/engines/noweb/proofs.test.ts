import { describe, expect, test } from 'vitest';
import { MemorySessionState } from '../memory-session-state.ts';
import { MarkedState } from './marked-state.ts';
import { Proofs } from './proofs.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

function setUp() {
  const state = new MemorySessionState();
  return { state, proofs: restart(state), restarted: () => restart(state) };
}

/** Proofs whose notes are in the state at once; in the engine they ride in the record of the ratchet step. */
function restart(state: MemorySessionState): Proofs {
  const marked = new MarkedState(state);
  marked.hasten();
  return new Proofs(marked);
}

describe('Proofs', () => {
  test('a receipt proves a message that may have left, also after a new start', () => {
    const { proofs, restarted } = setUp();
    proofs.leaving('ONE', TRACEPARENT);
    const again = restarted();
    expect(again.provenAt('ONE')).toBeUndefined();
    again.receipt('ONE', 1_700_000_000);
    expect(restarted().provenAt('ONE')).toBe(1_700_000_000);
    expect(restarted().isTold('ONE')).toBe(false);
  });

  test('receipts for anything else leave no trace', () => {
    const { state, proofs } = setUp();
    proofs.receipt('UNKNOWN', 1_700_000_000);
    proofs.leaving('ONE', TRACEPARENT);
    state.append(proofs.told('ONE', 5, TRACEPARENT));
    const { head } = state;
    proofs.receipt('ONE', 1_700_000_000);
    proofs.leaving('ONE', TRACEPARENT);
    expect(state.head).toBe(head);
    expect(proofs.provenAt('ONE')).toBe(5);
  });

  test('what was told of is known to be told of', () => {
    const { state, proofs, restarted } = setUp();
    proofs.leaving('ONE', TRACEPARENT);
    state.append(proofs.told('ONE', 7, TRACEPARENT));
    expect([restarted().provenAt('ONE'), restarted().isTold('ONE')]).toEqual([7, true]);
  });

  test('know the trace of the job, whatever becomes known of the message, also after a new start', () => {
    const { state, proofs, restarted } = setUp();
    proofs.leaving('ONE', TRACEPARENT);
    proofs.leaving('WITHOUT', undefined);
    expect(restarted().traceparentOf('ONE')).toBe(TRACEPARENT);
    proofs.receipt('ONE', 5);
    proofs.receipt('WITHOUT', 5);
    expect(restarted().traceparentOf('ONE')).toBe(TRACEPARENT);
    state.append(proofs.told('ONE', 5, TRACEPARENT));
    expect(restarted().traceparentOf('ONE')).toBe(TRACEPARENT);
    expect([restarted().provenAt('ONE'), restarted().isTold('ONE')]).toEqual([5, true]);
    expect(restarted().traceparentOf('WITHOUT')).toBeUndefined();
    expect(restarted().traceparentOf('UNKNOWN')).toBeUndefined();
  });

  test('keeps the newest only', () => {
    const { state, proofs } = setUp();
    for (let n = 0; n < 700; n += 1) proofs.leaving(`ID${n}`, undefined);
    expect(state.keys('proof/')).toHaveLength(500);
    expect(state.get('proof/ID199')).toBeUndefined();
    expect(state.get('proof/ID200')).toBeDefined();
  });
});
