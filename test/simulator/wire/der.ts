/** The few shapes of ASN.1 DER that a certificate needs. */
export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element: tag, length and the parts one after the other. */
export function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const significant = length.subarray(length.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.of(tag, 0x80 | significant.length), significant, body]);
}

export function sequence(...parts: readonly Buffer[]): Buffer {
  return der(DER.sequence, ...parts);
}

/** A bit string; `unused` bits at its end do not count. */
export function bitString(bytes: Buffer, unused = 0): Buffer {
  return der(DER.bitString, Buffer.of(unused), bytes);
}

/** An element that wraps another one in a context tag. */
export function explicit(tag: number, inner: Buffer): Buffer {
  return der(0xa0 | tag, inner);
}

/** A time to the second; RFC 5280 wants the short form before 2050. */
export function time(date: Date): Buffer {
  const digits = `${date.toISOString().replaceAll(/[-:T]|\..*$/g, '')}Z`;
  return date.getUTCFullYear() < 2050
    ? der(DER.utcTime, Buffer.from(digits.slice(2)))
    : der(DER.generalizedTime, Buffer.from(digits));
}
