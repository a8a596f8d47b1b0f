import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { Curve } from '@whiskeysockets/baileys';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { isSignedBy, verifySignature, verifySignaturesNatively } from './native-signatures.ts';
import signatures from './signature-library.cjs';

const { library } = signatures;
const ofLibrary = library.verify;
/** As the Signal library's own code has it, untyped. */
const curve: { verifySignature(key: Buffer, message: Buffer, signature: Buffer): boolean } = createRequire(
  import.meta.url,
)('libsignal/src/curve.js');

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const flipped = (source: Uint8Array, bit: number): Uint8Array => {
  const copy = Uint8Array.from(source);
  const at = Math.floor(bit / 8) % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8));
  return copy;
};

function signed(message: Uint8Array) {
  const { public: key, private: secret } = Curve.generateKeyPair();
  return { key: Uint8Array.from(key), signature: Uint8Array.from(Curve.sign(secret, message)) };
}

describe('native signatures', () => {
  afterAll(() => {
    library.verify = ofLibrary;
  });

  it('are what the library signs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (message) => {
        const { key, signature } = signed(message);
        expect(verifySignature(key, message, signature)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('are refused with one bit changed in the message, the key or the signature, where the library refuses them', () => {
    const target = fc.constantFrom('message', 'key', 'signature');
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 50 }), target, fc.nat(511), (message, what, bit) => {
        const { key, signature } = signed(message);
        const of = (part: string, value: Uint8Array) => (part === what ? flipped(value, bit) : value);
        const triple = [of('key', key), of('message', message), of('signature', signature)] as const;
        expect(verifySignature(...triple)).toBe(ofLibrary(...triple));
      }),
      { numRuns: 40 },
    );
  });

  it('are refused where anything stands for a key and a signature', () => {
    fc.assert(
      fc.property(bytes(32), bytes(32), bytes(64), (key, message, signature) => {
        expect(verifySignature(key, message, signature)).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  it('of another length are wrong, and so are keys', () => {
    const message = randomBytes(64);
    const { key, signature } = signed(message);
    expect(isSignedBy(key, message, signature)).toBe(true);
    expect(isSignedBy(key, randomBytes(64), signature)).toBe(false);
    for (const length of [0, 31, 33, 63, 65]) {
      expect(isSignedBy(new Uint8Array(length), message, signature)).toBe(false);
      expect(isSignedBy(key, message, new Uint8Array(length))).toBe(false);
    }
  });

  it('are what the Signal library then goes by', () => {
    const message = randomBytes(64);
    const { key, signature } = signed(message);
    const prefixed = Buffer.concat([Buffer.of(5), key]);
    library.verify = () => {
      throw new Error('not asked for');
    };
    expect(() => curve.verifySignature(prefixed, message, Buffer.from(signature))).toThrow('not asked for');
    verifySignaturesNatively();
    expect(curve.verifySignature(prefixed, message, Buffer.from(signature))).toBe(true);
    expect(curve.verifySignature(prefixed, randomBytes(64), Buffer.from(signature))).toBe(false);
  });
});
