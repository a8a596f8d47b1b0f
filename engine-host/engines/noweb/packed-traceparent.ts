/** A `traceparent` in less than half of its bytes: a session keeps hundreds of them. */
export function packTraceparent(traceparent: string): Uint8Array {
  return Buffer.from(traceparent.replaceAll('-', ''), 'hex');
}

export function unpackTraceparent(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 2), hex.slice(2, 34), hex.slice(34, 50), hex.slice(50)].join('-');
}
