import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { createServerIdentity, type ServerIdentity } from './server-identity.ts';
import { verify } from './xeddsa.ts';

function readChain(identity: ServerIdentity) {
  const { intermediate, leaf } = proto.CertChain.decode(identity.certChain);
  return { intermediate: readCertificate(intermediate), leaf: readCertificate(leaf) };
}

function readCertificate(certificate: proto.CertChain.INoiseCertificate | null | undefined) {
  const encoded = toBuffer(certificate?.details);
  const details = proto.CertChain.NoiseCertificate.Details.decode(encoded);
  return { encoded, details, key: toBuffer(details.key), signature: toBuffer(certificate?.signature) };
}

function toBuffer(field: Uint8Array | null | undefined): Buffer {
  return Buffer.from(field ?? Buffer.alloc(0));
}

describe('a server identity', () => {
  it('has a chain from the root to the static key', () => {
    const identity = createServerIdentity();
    const { intermediate, leaf } = readChain(identity);
    expect(intermediate.details).toMatchObject({ serial: 1, issuerSerial: 0 });
    expect(leaf.details).toMatchObject({ serial: 2, issuerSerial: 1 });
    expect(leaf.key).toStrictEqual(identity.staticKeyPair.publicKey);
    expect(verify(identity.rootPublicKey, intermediate.encoded, intermediate.signature)).toBe(true);
    expect(verify(intermediate.key, leaf.encoded, leaf.signature)).toBe(true);
    expect(verify(createServerIdentity().rootPublicKey, intermediate.encoded, intermediate.signature)).toBe(false);
    const now = Date.now() / 1000;
    for (const { details } of [intermediate, leaf]) {
      expect(Number(details.notBefore)).toBeLessThan(now);
      expect(Number(details.notAfter)).toBeGreaterThan(now);
    }
  });

  it('survives being saved', () => {
    const before = createServerIdentity();
    const after = createServerIdentity(JSON.parse(JSON.stringify(before)));
    expect(after.rootPublicKey).toStrictEqual(before.rootPublicKey);
    expect(after.staticKeyPair).toStrictEqual(before.staticKeyPair);
    expect(readChain(after).intermediate.key).toStrictEqual(readChain(before).intermediate.key);
  });

  it('is not made from damaged keys', () => {
    expect(() => createServerIdentity({ ...createServerIdentity().toJSON(), root: 'AAAA' })).toThrow();
  });
});
