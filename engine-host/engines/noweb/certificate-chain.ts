import { proto, toNumber } from '@whiskeysockets/baileys';
import { isSignedBy } from './native-signatures.ts';
import { PROVEN, type Proof, untimelyServer, untrustedServer } from './proof.ts';

/** Signs what WhatsApp's servers show ("WhatsAppLongTerm1"). The same in Baileys and whatsmeow. */
export const WHATSAPP_ROOT_KEY: Uint8Array = Buffer.from(
  '142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b',
  'hex',
);
const ROOT_SERIAL = 0;
const NOTHING = new Uint8Array();

export interface ExpectedServer {
  /** Public key that has to stand at the end of the chain, 32 bytes. */
  readonly rootKey: Uint8Array;
  /** The key that the server has proved to hold, by what it has encrypted. */
  readonly serverKey: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: number;
}

interface Certificate {
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  readonly serial: number;
  readonly issuerSerial: number;
  readonly key: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Whether an encoded CertChain says, by the root's signature, that the server's key is WhatsApp's. */
export function checkCertificateChain(encoded: Uint8Array, expected: ExpectedServer): Proof {
  const chain = readChain(encoded);
  if (!chain) return untrustedServer('its certificates cannot be read');
  const { intermediate, leaf } = chain;
  if (!isSignedBy(expected.rootKey, intermediate.signed, intermediate.signature)) {
    return untrustedServer('its certificates are not signed by WhatsApp');
  }
  if (intermediate.issuerSerial !== ROOT_SERIAL) return untrustedServer('its certificates name another root');
  if (!isSignedBy(intermediate.key, leaf.signed, leaf.signature)) {
    return untrustedServer('its own certificate is not signed by the one above it');
  }
  if (leaf.issuerSerial !== intermediate.serial) {
    return untrustedServer('its own certificate names another issuer than the one that has signed it');
  }
  if (!Buffer.from(leaf.key).equals(expected.serverKey)) {
    return untrustedServer('its certificate is for another key than the one it uses');
  }
  const notBefore = Math.max(intermediate.notBefore, leaf.notBefore);
  const notAfter = Math.min(intermediate.notAfter, leaf.notAfter);
  return expected.now < notBefore || expected.now > notAfter ? untimelyServer(notBefore, notAfter) : PROVEN;
}

function readChain(encoded: Uint8Array): { intermediate: Certificate; leaf: Certificate } | undefined {
  try {
    const { intermediate, leaf } = proto.CertChain.decode(encoded);
    return { intermediate: readCertificate(intermediate), leaf: readCertificate(leaf) };
  } catch {
    return undefined;
  }
}

function readCertificate(certificate: proto.CertChain.INoiseCertificate | null | undefined): Certificate {
  const signed = certificate?.details ?? NOTHING;
  const details = proto.CertChain.NoiseCertificate.Details.decode(signed);
  return {
    signed,
    signature: certificate?.signature ?? NOTHING,
    serial: details.serial ?? 0,
    issuerSerial: details.issuerSerial ?? 0,
    key: details.key ?? NOTHING,
    notBefore: 1000 * toNumber(details.notBefore),
    notAfter: 1000 * toNumber(details.notAfter),
  };
}
