import { proto } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { MemorySessionState } from '../memory-session-state.ts';
import { forgetLogin, hasLoggedIn, loadCreds, markLoggedIn, saveCreds } from './auth-creds.ts';

const account = proto.ADVSignedDeviceIdentity.create({
  details: Buffer.from('d'),
  accountSignature: Buffer.alloc(64, 3),
});

describe('credentials', () => {
  test('are made once and then read', () => {
    const state = new MemorySessionState();
    const made = loadCreds(state);
    const read = loadCreds(state);
    expect(Buffer.from(read.noiseKey.private)).toEqual(Buffer.from(made.noiseKey.private));
    expect(read.advSecretKey).toBe(made.advSecretKey);
    expect(state.head).toBe(1);
  });

  test('only changed fields are appended, all in one record', () => {
    const state = new MemorySessionState();
    const creds = loadCreds(state);
    creds.nextPreKeyId = 813;
    creds.firstUnuploadedPreKeyId = 813;
    saveCreds(state, creds);
    expect(state.head).toBe(2);
    saveCreds(state, creds);
    expect(state.head).toBe(2);
    expect(loadCreds(state)).toMatchObject({ nextPreKeyId: 813, firstUnuploadedPreKeyId: 813 });
  });

  test('keep the bytes of the signed device identity', () => {
    const state = new MemorySessionState();
    const creds = loadCreds(state);
    saveCreds(state, { ...creds, account, me: { id: '4915100000001:1@s.whatsapp.net' } });
    const read = loadCreds(state);
    expect(proto.ADVSignedDeviceIdentity.encode(read.account ?? {}).finish()).toEqual(
      proto.ADVSignedDeviceIdentity.encode(account).finish(),
    );
  });

  test('of a pairing by code that was not finished do not log in', () => {
    const state = new MemorySessionState();
    saveCreds(state, { ...loadCreds(state), me: { id: '4915100000001@s.whatsapp.net', name: '~' } });
    expect(loadCreds(state).me).toBeUndefined();
  });

  test('are forgotten with all keys, and the next ones are new', () => {
    const state = new MemorySessionState();
    const before = loadCreds(state);
    markLoggedIn(state);
    state.append([{ key: 'session/1.0', value: Buffer.from('{}') }]);
    expect(hasLoggedIn(state)).toBe(true);
    forgetLogin(state);
    expect(state.keys('')).toEqual([]);
    expect(loadCreds(state).advSecretKey).not.toBe(before.advSecretKey);
  });
});
