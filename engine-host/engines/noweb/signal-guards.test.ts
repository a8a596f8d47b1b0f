import { BufferJSON } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { pruneSenderKey, pruneSession, SessionTrial } from './signal-guards.ts';

const OPEN = -1;
const [SENDING, RECEIVING] = [1, 2];

const chains = (receiving: number) =>
  Object.fromEntries([
    ['sending', { chainType: SENDING, chainKey: { counter: 1 } }],
    ...Array.from({ length: receiving }, (_, n) => [`receiving-${n}`, { chainType: RECEIVING }]),
  ]);
const session = (closed: number, used: number, receiving = 1) => ({
  registrationId: 7,
  indexInfo: { closed, used, baseKey: 'k' },
  _chains: chains(receiving),
});

describe('pruneSession', () => {
  test('keeps the open session and the four closed ones used last', () => {
    const closed = Array.from({ length: 9 }, (_, n) => [`closed-${n}`, session(100, n)]);
    const record = { _sessions: { open: session(OPEN, 0), ...Object.fromEntries(closed) }, version: 'v1' };
    const pruned = pruneSession(record);
    expect(Object.keys(pruned._sessions).sort()).toEqual(['closed-5', 'closed-6', 'closed-7', 'closed-8', 'open']);
    expect(pruned.version).toBe('v1');
  });

  test('keeps the sending chain and the five newest receiving ones', () => {
    const record = { _sessions: { open: session(OPEN, 0, 8) } };
    expect(Object.keys(pruneSession(record)._sessions.open._chains)).toEqual([
      'sending',
      'receiving-3',
      'receiving-4',
      'receiving-5',
      'receiving-6',
      'receiving-7',
    ]);
  });

  test('leaves what it does not understand alone', () => {
    const record = { anything: 1 };
    expect(pruneSession(record)).toBe(record);
  });
});

describe('SessionTrial', () => {
  const record = {
    _sessions: { old: session(5, 10), recent: session(OPEN, 20), oldest: session(6, 1) },
    version: 'v1',
  };

  test('shows one session at a time, most recently used first', () => {
    const shown = [0, 1, 2].map((index) => Object.keys(new SessionTrial(index).show('key', record)._sessions));
    expect(shown).toEqual([['recent'], ['old'], ['oldest']]);
  });

  test('merges the session that fitted into the whole record, the others untouched', () => {
    const trial = new SessionTrial(1);
    trial.show('key', record);
    expect(trial.sessions).toBe(3);
    const stored = trial.merge('key', { _sessions: { old: session(5, 99) }, version: 'v1' });
    expect(stored._sessions).toEqual({ ...record._sessions, old: session(5, 99) });
  });
});

describe('pruneSenderKey', () => {
  const skipped = (count: number) =>
    Array.from({ length: count }, (_, iteration) => ({ iteration, seed: Buffer.alloc(32, iteration) }));
  const state = (privateKey: Buffer, count: number) => ({
    senderKeyId: 1,
    senderChainKey: { iteration: count, seed: Buffer.alloc(32, 1) },
    senderSigningKey: { public: Buffer.alloc(33, 5), private: privateKey },
    senderMessageKeys: skipped(count),
  });
  const prune = (value: unknown) =>
    JSON.parse(Buffer.from(pruneSenderKey(Buffer.from(JSON.stringify(value)))).toString(), BufferJSON.reviver);

  test("keeps the last 64 skipped keys of somebody else's, readable as bytes", () => {
    // Plain JSON, as the library writes it: its bytes are arrays of numbers.
    const [pruned] = prune([state(Buffer.alloc(0), 200)]);
    expect(pruned.senderMessageKeys).toHaveLength(64);
    expect(pruned.senderMessageKeys.at(-1)).toEqual({ iteration: 199, seed: Buffer.alloc(32, 199) });
    expect(Buffer.isBuffer(pruned.senderMessageKeys[0].seed)).toBe(true);
    expect(Buffer.isBuffer(pruned.senderChainKey.seed)).toBe(true);
  });

  test('keeps none of our own', () => {
    const [pruned] = prune([state(Buffer.alloc(32, 9), 200)]);
    expect(pruned.senderMessageKeys).toEqual([]);
    expect(pruned.senderSigningKey.private).toEqual(Buffer.alloc(32, 9));
  });
});
