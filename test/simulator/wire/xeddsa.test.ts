import { randomBytes } from 'node:crypto';
import { sign as curveSign, verify as curveVerify } from 'curve25519-js';
import { describe, expect, it } from 'vitest';
import { generateKeyPair, sign, verify } from './xeddsa.ts';

const ROUNDS = 16;

// Half of all keys have a negative Edwards point, so a handful of keys meets both signs.
const samples = Array.from({ length: ROUNDS }, (_, at) => ({ keys: generateKeyPair(), message: randomBytes(at * 7) }));

describe('XEdDSA', () => {
  it('makes signatures that it and curve25519-js accept', () => {
    for (const { keys, message } of samples) {
      const signature = sign(keys.privateKey, message);
      expect(signature).toHaveLength(64);
      expect(verify(keys.publicKey, message, signature)).toBe(true);
      expect(curveVerify(keys.publicKey, message, signature)).toBe(true);
    }
  });

  it('accepts signatures that curve25519-js makes', () => {
    for (const { keys, message } of samples) {
      const signature = Buffer.from(curveSign(keys.privateKey, message, randomBytes(64)));
      expect(verify(keys.publicKey, message, signature)).toBe(true);
    }
  });

  it('refuses a signature with any single bit flipped', () => {
    const { privateKey, publicKey } = generateKeyPair();
    const message = Buffer.from('details');
    const signature = sign(privateKey, message);
    for (let bit = 0; bit < 512; bit++) {
      const forged = Buffer.from(signature);
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verify(publicKey, message, forged), `bit ${bit}`).toBe(false);
    }
  });

  it('refuses another message, another key and wrong lengths', () => {
    const { privateKey, publicKey } = generateKeyPair();
    const message = Buffer.from('details');
    const signature = sign(privateKey, message);
    expect(verify(publicKey, Buffer.from('detailz'), signature)).toBe(false);
    expect(verify(generateKeyPair().publicKey, message, signature)).toBe(false);
    expect(verify(Buffer.concat([Buffer.of(5), publicKey]), message, signature)).toBe(false);
    expect(verify(publicKey, message, signature.subarray(1))).toBe(false);
    expect(verify(publicKey, message, Buffer.alloc(64))).toBe(false);
    expect(verify(Buffer.alloc(32, 0xff), message, signature)).toBe(false);
    expect(() => sign(privateKey.subarray(1), message)).toThrow('32 bytes');
  });
});
