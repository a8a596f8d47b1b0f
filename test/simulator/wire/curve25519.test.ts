import { describe, expect, it } from 'vitest';
import { generateKeyPair, keyPairOf, sharedSecret } from './curve25519.ts';
import { WireError } from './wire-error.ts';

describe('Curve25519 keys', () => {
  it('are 32 raw bytes and agree', () => {
    const [ours, theirs] = [generateKeyPair(), generateKeyPair()];
    expect([ours.privateKey.length, ours.publicKey.length]).toStrictEqual([32, 32]);
    const secret = sharedSecret(ours.privateKey, theirs.publicKey);
    expect(secret).toStrictEqual(sharedSecret(theirs.privateKey, ours.publicKey));
    expect(secret).not.toStrictEqual(sharedSecret(ours.privateKey, ours.publicKey));
  });

  it('follow from their private half', () => {
    const keys = generateKeyPair();
    expect(keyPairOf(keys.privateKey)).toStrictEqual(keys);
  });

  it('are refused with a type byte or of small order', () => {
    const { privateKey, publicKey } = generateKeyPair();
    expect(() => sharedSecret(privateKey, Buffer.concat([Buffer.of(5), publicKey]))).toThrow('33 bytes instead of 32');
    expect(() => keyPairOf(privateKey.subarray(1))).toThrow(WireError);
    expect(() => sharedSecret(privateKey, Buffer.alloc(32))).toThrow('key agreement failed');
  });
});
