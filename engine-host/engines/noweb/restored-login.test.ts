import { BufferJSON } from '@whiskeysockets/baileys';
import { beforeEach, expect, test } from 'vitest';
import { MemorySessionState } from '../memory-session-state.ts';
import { loadCreds, saveCreds } from './auth-creds.ts';
import { AuthKeys } from './auth-keys.ts';
import { MarkedState } from './marked-state.ts';
import { afterRestore } from './restored-login.ts';

const [OPEN, SENDING, RECEIVING] = [-1, 1, 2];
const NOW = 1_000;
const GROUP = '1203@g.us';
/** As long as the library's: short values are never stored as differences. */
const noise = Array.from({ length: 40 }, (_, n) => `chain ${n}`);

const record = (counter: number) => ({
  _sessions: {
    current: {
      indexInfo: { closed: OPEN, used: 5 },
      _chains: {
        ours: { chainType: SENDING, chainKey: { counter } },
        theirs: { chainType: RECEIVING, chainKey: { counter }, noise },
      },
    },
    former: { indexInfo: { closed: 7, used: 2 }, _chains: {} },
  },
  version: 'v1',
});
const senderKey = (signing: object) =>
  Buffer.from(JSON.stringify([{ senderSigningKey: signing, senderMessageKeys: [] }], BufferJSON.replacer));

let state: MemorySessionState;
const keys = () => new AuthKeys(new MarkedState(state));
const read = async (type: 'session' | 'sender-key' | 'sender-key-memory', id: string): Promise<unknown> =>
  (await keys().forBaileys.get(type, [id]))[id];

beforeEach(async () => {
  state = new MemorySessionState();
  saveCreds(state, { ...loadCreds(state), nextPreKeyId: 813, firstUnuploadedPreKeyId: 800 });
  const { forBaileys } = keys();
  // What the types call bytes is a tree of objects.
  const session = (counter: number) => record(counter) as unknown as Uint8Array;
  await forBaileys.set({ session: { 'ada.0': session(1), 'bob.3': session(1) } });
  await forBaileys.set({ session: { 'ada.0': session(2) } });
  await forBaileys.set({
    'sender-key': {
      [`${GROUP}::me::1`]: senderKey({ public: Buffer.from('p'), private: Buffer.from('s') }),
      [`${GROUP}::ada::0`]: senderKey({ public: Buffer.from('p') }),
    },
    'sender-key-memory': { [GROUP]: { 'ada.0': true } },
  });
});

const restore = () => state.append(afterRestore(state, NOW));

test('nothing is written in a session that comes from a backup, and all of it can be read', async () => {
  expect(state.keys('session/ada')).toHaveLength(2);
  restore();
  for (const [contact, counter] of [
    ['ada.0', 2],
    ['bob.3', 1],
  ] as const) {
    const expected = record(counter);
    expected._sessions.current.indexInfo.closed = NOW;
    expect(await read('session', contact)).toEqual(expected);
  }
});

test('groups get a new key of ours, and those of the others stay', async () => {
  restore();
  expect(await read('sender-key', `${GROUP}::me::1`)).toBeUndefined();
  expect(await read('sender-key', `${GROUP}::ada::0`)).toBeDefined();
  expect(await read('sender-key-memory', GROUP)).toBeUndefined();
});

test('new pre-keys get ids that no key of this account has had', () => {
  restore();
  const { nextPreKeyId, firstUnuploadedPreKeyId } = loadCreds(state);
  expect(nextPreKeyId).toBe(10_813);
  expect(firstUnuploadedPreKeyId).toBe(10_813);
});

test('there is nothing to do for a session that was never paired', () => {
  expect(afterRestore(new MemorySessionState(), NOW)).toEqual([]);
});
