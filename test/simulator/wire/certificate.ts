import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { bitString, DER, der, explicit, sequence, time } from './der.ts';

const OID = {
  commonName: oid('550403'),
  subjectKeyIdentifier: oid('551d0e'),
  keyUsage: oid('551d0f'),
  subjectAltName: oid('551d11'),
  basicConstraints: oid('551d13'),
  authorityKeyIdentifier: oid('551d23'),
  extendedKeyUsage: oid('551d25'),
  serverAuth: oid('2b06010505070301'),
  ecdsaWithSha256: oid('2a8648ce3d040302'),
};
const TRUE = der(DER.boolean, Buffer.of(0xff));
const ALGORITHM = sequence(OID.ecdsaWithSha256);
const CERTIFICATE_SIGN = bitString(Buffer.of(0x06), 1);
const DIGITAL_SIGNATURE = bitString(Buffer.of(0x80), 7);
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

/** What a certificate says, and the EC P-256 key it is signed with. */
export interface CertificateRequest {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly issuer: string;
  readonly issuerPublicKey: KeyObject;
  readonly issuerPrivateKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The names of a server; without them the certificate is that of an authority. IP addresses are raw bytes. */
  readonly server?: { readonly dnsNames: readonly string[]; readonly ipAddresses: readonly Buffer[] };
}

/** Makes an X.509 v3 certificate (RFC 5280), signed with ECDSA and SHA-256. PEM. */
export function makeCertificate(request: CertificateRequest): string {
  const toBeSigned = sequence(
    explicit(0, der(DER.integer, Buffer.of(2))),
    der(DER.integer, Buffer.of(1), randomBytes(15)),
    ALGORITHM,
    name(request.issuer),
    sequence(time(request.notBefore), time(request.notAfter)),
    name(request.subject),
    spki(request.publicKey),
    explicit(3, sequence(...extensions(request))),
  );
  const signature = sign('sha256', toBeSigned, request.issuerPrivateKey);
  return toPem(sequence(toBeSigned, ALGORITHM, bitString(signature)));
}

function extensions({ publicKey, issuerPublicKey, server }: CertificateRequest): Buffer[] {
  const keyIds = [
    extension(OID.subjectKeyIdentifier, der(DER.octetString, keyId(publicKey))),
    extension(OID.authorityKeyIdentifier, sequence(der(0x80, keyId(issuerPublicKey)))),
  ];
  if (!server) {
    return [critical(OID.basicConstraints, sequence(TRUE)), critical(OID.keyUsage, CERTIFICATE_SIGN), ...keyIds];
  }
  const names = [
    ...server.dnsNames.map((each) => der(DNS_NAME, Buffer.from(each))),
    ...server.ipAddresses.map((each) => der(IP_ADDRESS, each)),
  ];
  return [
    critical(OID.basicConstraints, sequence()),
    critical(OID.keyUsage, DIGITAL_SIGNATURE),
    extension(OID.extendedKeyUsage, sequence(OID.serverAuth)),
    extension(OID.subjectAltName, sequence(...names)),
    ...keyIds,
  ];
}

function extension(id: Buffer, value: Buffer): Buffer {
  return sequence(id, der(DER.octetString, value));
}

function critical(id: Buffer, value: Buffer): Buffer {
  return sequence(id, TRUE, der(DER.octetString, value));
}

function name(commonName: string): Buffer {
  return sequence(der(DER.set, sequence(OID.commonName, der(DER.utf8String, Buffer.from(commonName)))));
}

function keyId(publicKey: KeyObject): Buffer {
  return createHash('sha1').update(spki(publicKey)).digest();
}

function spki(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

function oid(encoded: string): Buffer {
  return der(DER.oid, Buffer.from(encoded, 'hex'));
}

function toPem(encoded: Buffer): string {
  const lines = encoded.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
