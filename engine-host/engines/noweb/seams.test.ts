import { EventEmitter } from 'node:events';
import { Curve } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { assertStanzaBytes, forgetMessages, guardPairing, withKeyPairs } from './seams.ts';

describe('the seams of Baileys', () => {
  test('the bytes of a stanza are what is decrypted', async () => {
    await expect(assertStanzaBytes()).resolves.toBeUndefined();
  });

  test('key pairs are noted while a socket is made, and not after', () => {
    const { generateKeyPair } = Curve;
    const { made, keyPairs } = withKeyPairs(() => Curve.generateKeyPair());
    expect(keyPairs).toEqual([made]);
    expect(Curve.generateKeyPair).toBe(generateKeyPair);
  });

  test('a socket that is made without a key pair is not taken', () => {
    const { generateKeyPair } = Curve;
    expect(() => withKeyPairs(() => 'no keys')).toThrow(/ephemeral key/);
    expect(Curve.generateKeyPair).toBe(generateKeyPair);
  });

  test.each([null, {}])('a socket that remembers messages elsewhere is not taken: %o', (memory) => {
    expect(() => forgetMessages({ messageRetryManager: memory })).toThrow(/remembers messages/);
  });

  test('a pairing that nobody listens for is not guarded', () => {
    expect(() => guardPairing({ ws: new EventEmitter() }, () => true)).toThrow(/pairings/);
  });
});
