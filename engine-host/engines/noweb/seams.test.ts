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
    // Only its methods are touched, and it has none.
    const messageRetryManager = memory as unknown as Parameters<typeof forgetMessages>[0]['messageRetryManager'];
    expect(() => forgetMessages({ messageRetryManager })).toThrow(/remembers messages/);
  });

  test('a pairing that nobody listens for is not guarded', () => {
    // Only the emitter of a socket's connection is touched.
    const ws = new EventEmitter() as unknown as Parameters<typeof guardPairing>[0]['ws'];
    expect(() => guardPairing({ ws }, () => true)).toThrow(/pairings/);
  });
});
