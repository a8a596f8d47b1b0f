import { Curve, proto } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { MemorySessionState } from '../memory-session-state.ts';
import { AuthKeys } from './auth-keys.ts';
import { MarkedState } from './marked-state.ts';

const bytes = (text: string) => Buffer.from(text);

function setUp() {
  const state = new MemorySessionState();
  const keys = new AuthKeys(new MarkedState(state));
  return { state, keys, baileys: keys.forBaileys, signal: keys.forSignal };
}

describe('AuthKeys', () => {
  test('gives back every kind of value, and survives a new start', async () => {
    const { state, baileys } = setUp();
    const pair = Curve.generateKeyPair();
    const appKey = { keyData: bytes('k'), timestamp: 17 };
    await baileys.set({
      'pre-key': { 1: pair },
      'app-state-sync-key': { a: appKey },
      'device-list': { u: ['0', '1'] },
      'sender-key-memory': { g: { device: true } },
      tctoken: { t: { token: bytes('token'), timestamp: '5' } },
    });
    const again = new AuthKeys(new MarkedState(state)).forBaileys;
    const { 1: readPair } = await again.get('pre-key', ['1']);
    expect(Buffer.from(readPair?.private ?? [])).toEqual(Buffer.from(pair.private));
    expect(Buffer.from(readPair?.public ?? [])).toEqual(Buffer.from(pair.public));
    const { a } = await again.get('app-state-sync-key', ['a']);
    expect(proto.Message.AppStateSyncKeyData.encode(a ?? {}).finish()).toEqual(
      proto.Message.AppStateSyncKeyData.encode(appKey).finish(),
    );
    expect(await again.get('tctoken', ['t', 'missing'])).toEqual({ t: { token: bytes('token'), timestamp: '5' } });
  });

  test('what Baileys does to a value it was given changes nothing that is stored', async () => {
    const { baileys } = setUp();
    await baileys.set({ 'device-list': { u: ['0'] } });
    const { u } = await baileys.get('device-list', ['u']);
    u?.push('9');
    expect(await baileys.get('device-list', ['u'])).toEqual({ u: ['0'] });
  });

  test('one operation leaves one record, whatever it changed', async () => {
    const { state, keys, signal } = setUp();
    await keys.operate(async () => {
      await signal.set({ 'identity-key': { a: bytes('one') } });
      await signal.set({ session: { a: bytes('s') }, 'pre-key': { 1: null } });
      expect(await signal.get('identity-key', ['a'])).toEqual({ a: bytes('one') });
      expect(state.head).toBe(0);
    });
    expect(state.head).toBe(1);
  });

  test('an operation that fails leaves nothing', async () => {
    const { state, keys, signal } = setUp();
    const failing = keys.operate(async () => {
      await signal.set({ 'identity-key': { a: bytes('one') } });
      throw new Error('bad MAC');
    });
    await expect(failing).rejects.toThrow('bad MAC');
    expect(state.head).toBe(0);
  });

  test('operations of an account never overlap, and a deletion by Baileys waits for the one under way', async () => {
    const { keys, baileys, signal } = setUp();
    const log: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = keys.operate(async () => {
      log.push('first begins');
      await promise;
      await signal.set({ 'identity-key': { a: bytes('first') } });
      log.push('first ends');
    });
    const second = keys.operate(async () => {
      log.push('second begins');
    });
    const deletion = baileys.set({ 'identity-key': { a: null } });
    resolve();
    await Promise.all([first, second, deletion]);
    expect(log).toEqual(['first begins', 'first ends', 'second begins']);
    expect(await baileys.get('identity-key', ['a'])).toEqual({});
  });

  test('a failed transaction of Baileys takes nothing back', async () => {
    const { baileys } = setUp();
    const failing = baileys.transaction(async () => {
      await baileys.set({ 'lid-mapping': { pn: 'lid' } });
      throw new Error('the socket is gone');
    }, 'me');
    await expect(failing).rejects.toThrow('the socket is gone');
    expect(await baileys.get('lid-mapping', ['pn'])).toEqual({ pn: 'lid' });
  });

  test('know a person’s other address as soon as Baileys has noted it, also after a new start', async () => {
    const { state, keys, baileys } = setUp();
    const [phone, lid] = ['4915100000001@s.whatsapp.net', '77777777777@lid'];
    expect([keys.otherAddress(phone), keys.otherAddress(lid)]).toEqual([undefined, undefined]);
    await baileys.set({ 'lid-mapping': { 4915100000001: '77777777777', '77777777777_reverse': '4915100000001' } });
    for (const each of [keys, new AuthKeys(new MarkedState(state))]) {
      expect([each.otherAddress(phone), each.otherAddress('77777777777:3@lid')]).toEqual([lid, phone]);
      expect(each.otherAddress('4915100000001@g.us')).toBeUndefined();
    }
  });

  test('a transaction inside one of the same name goes through', async () => {
    const { baileys } = setUp();
    const result = await baileys.transaction(() => baileys.transaction(async () => 'inner', 'me'), 'me');
    expect(result).toBe('inner');
  });

  test('a decryption is tried session by session, and the sessions that did not fit stay as they were', async () => {
    const { keys, baileys, signal } = setUp();
    const session = (used: number) => ({ indexInfo: { closed: -1, used }, _chains: {} });
    const record = { _sessions: { a: session(2), b: session(1) }, version: 'v1' };
    // Records are objects at run time, whatever the library's types say.
    const set = async (value: unknown) => signal.set({ session: { peer: value as Uint8Array } });
    await keys.operate(() => set(record));
    const tried: string[] = [];
    await keys.operateBySession(async () => {
      const { peer } = await signal.get('session', ['peer']);
      const shown: { _sessions: Record<string, unknown> } = JSON.parse(JSON.stringify(peer));
      const [name = ''] = Object.keys(shown._sessions);
      tried.push(name);
      await set({ _sessions: { [name]: session(99) }, version: 'v1' });
      if (name === 'a') throw new Error('bad MAC');
    });
    expect(tried).toEqual(['a', 'b']);
    const { peer } = await baileys.get('session', ['peer']);
    expect(peer).toEqual({ _sessions: { a: session(2), b: session(99) }, version: 'v1' });
  });

  test('appends nothing after it is closed', async () => {
    const { state, keys, baileys } = setUp();
    keys.close();
    await baileys.set({ 'device-list': { u: ['0'] } });
    expect(state.head).toBe(0);
  });
});
