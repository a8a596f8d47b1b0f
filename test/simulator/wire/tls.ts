import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { makeCertificate } from './certificate.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const VALID_DAYS = 825;
const ISSUER = 'Trunkline simulator CA';
const SERVER = {
  dnsNames: ['localhost', 'web.whatsapp.com', 'mmg.whatsapp.net', '*.whatsapp.net'],
  ipAddresses: [Buffer.of(127, 0, 0, 1), Buffer.concat([Buffer.alloc(15), Buffer.of(1)])],
};

/** A certificate authority for one test run and a server certificate it signed, all PEM. */
export interface TestCa {
  readonly caPem: string;
  readonly certPem: string;
  /** PKCS #8. */
  readonly keyPem: string;
}

/**
 * Makes an authority and a certificate for the loopback names and the WhatsApp host names that clients have built in. Both
 * are valid from yesterday for 825 days. The authority's private key is thrown away.
 */
export async function createTestCa(): Promise<TestCa> {
  const [authority, server] = await Promise.all([generateKeys(), generateKeys()]);
  const common = {
    issuer: ISSUER,
    issuerPublicKey: authority.publicKey,
    issuerPrivateKey: authority.privateKey,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + VALID_DAYS * DAY_MS),
  };
  return {
    caPem: makeCertificate({ ...common, subject: ISSUER, publicKey: authority.publicKey }),
    certPem: makeCertificate({ ...common, subject: 'localhost', publicKey: server.publicKey, server: SERVER }),
    keyPem: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function generateKeys() {
  return promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
}
